//! Text stays on the page, whatever it is.

use proptest::prelude::*;

use super::{
    Item, PAGE_HEIGHT_UM, PAGE_WIDTH_UM, Page,
    flow::{BOTTOM_UM, ENGLISH, Flow, LABEL, LEFT_UM, RIGHT_UM, TOP_UM, VALUE},
};
use crate::{error::CertificateError, font::FontSource, limits::PAGES_MAX};

/// Pages of a table with these values.
fn table(values: &[String]) -> Result<Vec<Page>, CertificateError> {
    let font = FontSource::built_in()?;
    let mut flow = Flow::new(&font, TOP_UM);
    for value in values {
        flow.section("一、存证", "Evidence")?;
        flow.row(&[("原件", LABEL), ("Original", ENGLISH)], &[(value, VALUE), (value, ENGLISH)])?;
    }
    Ok(flow.into_pages())
}

/// Every item within the content's area.
fn check(page: &Page) {
    for item in &page.items {
        let (left, top, right, bottom) = match item {
            Item::Text(run) => {
                let top = run.baseline_um - run.size_um;
                let bottom = run.baseline_um + run.size_um / 4;
                (run.x_um, top, run.x_um + run.width_um, bottom)
            }
            Item::Line(line) => {
                let ((x1, y1), (x2, y2)) = (line.from_um, line.to_um);
                (x1.min(x2), y1.min(y2), x1.max(x2), y1.max(y2))
            }
            Item::Fill(area) => {
                (area.x_um, area.y_um, area.x_um + area.width_um, area.y_um + area.height_um)
            }
            Item::Modules(_) => continue,
        };
        assert!(left >= LEFT_UM && right <= RIGHT_UM, "{left}..{right}: {item:?}");
        assert!(top >= TOP_UM && bottom <= BOTTOM_UM, "{top}..{bottom}: {item:?}");
    }
}

fn text(pages: &[Page]) -> String {
    let items = pages.iter().flat_map(|page| &page.items);
    let runs = items.filter_map(|item| match item {
        Item::Text(run) => Some(run.text()),
        _ => None,
    });
    runs.collect::<String>().replace(' ', "")
}

#[test]
fn overflow_makes_more_pages_and_loses_nothing() {
    let long = "存证记录甲乙丙丁".repeat(1_500);
    let pages = table(std::slice::from_ref(&long)).unwrap();
    assert!(pages.len() > 3, "{} pages", pages.len());
    pages.iter().for_each(check);
    let printed = text(&pages).matches('存').count();
    // Twice the value (large and small), and the section's title.
    assert_eq!(printed, 2 * 1_500 + 1);
    let endless = vec![long; PAGES_MAX];
    assert!(matches!(table(&endless), Err(CertificateError::TooLong)));
    const { assert!(RIGHT_UM < PAGE_WIDTH_UM && BOTTOM_UM < PAGE_HEIGHT_UM) };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_never_leaves_the_page(
        values in prop::collection::vec("[一-丏a-zA-Z0-9 ，。（）:/._-]{0,900}", 1..6)
    ) {
        let built_in = FontSource::built_in().unwrap();
        let values: Vec<String> = values
            .iter()
            .map(|value| value.chars().filter(|c| built_in.glyph(*c).is_some()).collect())
            .collect();
        let pages = table(&values).unwrap();
        pages.iter().for_each(check);
        let kept = |text: &str| text.chars().filter(|c| *c != ' ').count();
        let expected: usize = values.iter().map(|value| 2 * kept(value)).sum();
        let labels = table(&vec![String::new(); values.len()]).unwrap();
        prop_assert!(kept(&text(&pages)) >= expected + kept(&text(&labels)));
    }
}
