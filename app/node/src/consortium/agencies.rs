//! The agencies of the city's example, as far as a trial needs them. Their codes belong to nobody.

use changbai_core::{Uscc, UsccError};

use crate::config::AgencySettings;

/// Folder, MSP id and name: the agencies of `deploy/sample/changchun`, in its order.
const KNOWN: [(&str, &str, &str); 12] = [
    ("ndrc", "ChangchunNDRC", "长春市发展和改革委员会"),
    ("hrss", "ChangchunHRSS", "长春市人力资源和社会保障局"),
    ("digital", "ChangchunDigital", "长春市政务服务和数字化建设管理局"),
    ("resources", "ChangchunResources", "长春市规划和自然资源局"),
    ("market", "ChangchunMarket", "长春市市场监督管理局"),
    ("justice", "ChangchunJustice", "长春市司法局"),
    ("finance", "ChangchunFinance", "长春市财政局"),
    ("trading", "ChangchunTrading", "长春市公共资源交易中心"),
    ("security", "ChangchunSecurity", "长春市公安局"),
    ("housing", "ChangchunHousing", "长春市住房保障和房屋管理局"),
    ("health", "ChangchunHealth", "长春市卫生健康委员会"),
    ("insurance", "ChangchunInsurance", "长春市医疗保障局"),
];

/// The folder and the agency at a place, counted from 0.
pub(super) fn at(index: usize) -> (String, AgencySettings) {
    let (folder, msp_id, name) = match KNOWN.get(index) {
        Some((folder, msp_id, name)) => {
            ((*folder).to_owned(), (*msp_id).to_owned(), (*name).to_owned())
        }
        None => {
            let number = index + 1;
            let (folder, msp_id) = (format!("agency{number}"), format!("Agency{number}"));
            (folder, msp_id, format!("示例机关{number}"))
        }
    };
    let agency = AgencySettings { region: "220100".to_owned(), code: code(index), name, msp_id };
    (folder, agency)
}

/// A code that nobody has: a made-up number and its check character (GB 32100 §4).
fn code(index: usize) -> String {
    let body = format!("11220100MB99980{index:02}");
    match format!("{body}0").parse::<Uscc>() {
        Err(UsccError::Check { expected }) => format!("{body}{expected}"),
        _ => format!("{body}0"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::AGENCIES_MAX;
    use super::{Uscc, at};

    #[test]
    fn agencies_are_distinct_and_their_codes_valid() {
        let all: Vec<_> = (0..AGENCIES_MAX).map(at).collect();
        let distinct = |texts: BTreeSet<&str>| assert_eq!(texts.len(), AGENCIES_MAX);
        distinct(all.iter().map(|(folder, _)| folder.as_str()).collect());
        distinct(all.iter().map(|(_, agency)| agency.msp_id.as_str()).collect());
        distinct(all.iter().map(|(_, agency)| agency.name.as_str()).collect());
        distinct(all.iter().map(|(_, agency)| agency.code.as_str()).collect());
        for (_, agency) in &all {
            assert!(agency.code.parse::<Uscc>().is_ok(), "{}", agency.code);
        }
    }
}
