//! A font file of the used glyphs alone, complete enough for readers other than PDF's.
//!
//! The `subsetter` crate cuts glyphs out but leaves out what only PDF can do without. A reader of OFD finds glyphs by
//! character, so `cmap` and `OS/2` are added here and the table directory is written anew (OpenType 1.9, chapter
//! “Organization of an OpenType font”).

use std::collections::BTreeMap;

use subsetter::GlyphRemapper;

use super::FontSource;

/// The font with the glyphs of these characters only. `None` if the font has not all of them or is damaged.
pub(crate) fn subset(
    font: &FontSource,
    characters: impl IntoIterator<Item = char>,
) -> Option<Vec<u8>> {
    let used: BTreeMap<char, u16> = characters
        .into_iter()
        .map(|character| font.glyph(character).map(|glyph| (character, glyph.id)))
        .collect::<Option<_>>()?;
    let mut remapper = GlyphRemapper::new();
    let mapped: BTreeMap<u32, u16> =
        used.iter().map(|(c, id)| (u32::from(*c), remapper.remap(*id))).collect();
    let bare = subsetter::subset(font.data(), 0, &remapper).ok()?;

    let mut tables = tables(&bare)?;
    tables.insert(*b"cmap", cmap(&mapped));
    tables.insert(*b"OS/2", os2(font, &mapped)?);
    assemble(bare.get(..4)?, tables)
}

/// The tables of a font file.
fn tables(font: &[u8]) -> Option<BTreeMap<[u8; 4], Vec<u8>>> {
    let count = usize::from(u16_at(font, 4)?);
    (0..count)
        .map(|index| {
            let entry = font.get(12 + index * 16..)?;
            let tag: [u8; 4] = entry.get(..4)?.try_into().ok()?;
            let offset = usize::try_from(u32_at(entry, 8)?).ok()?;
            let length = usize::try_from(u32_at(entry, 12)?).ok()?;
            let end = offset.checked_add(length)?;
            Some((tag, font.get(offset..end)?.to_vec()))
        })
        .collect()
}

/// Character to glyph: format 4 for old readers, format 12 for all characters.
fn cmap(mapped: &BTreeMap<u32, u16>) -> Vec<u8> {
    let (four, twelve) = (format_4(mapped), format_12(mapped));
    let mut out = Vec::new();
    put16(&mut out, &[0, 2]);
    let first = 4 + 2 * 8_u32;
    let second = first.saturating_add(u32::try_from(four.len()).unwrap_or(u32::MAX));
    for (encoding, offset) in [(1, first), (10, second)] {
        put16(&mut out, &[3, encoding]);
        put32(&mut out, &[offset]);
    }
    out.extend(four);
    out.extend(twelve);
    out
}

/// One segment per character, by difference; the last segment is the prescribed 0xFFFF.
fn format_4(mapped: &BTreeMap<u32, u16>) -> Vec<u8> {
    let mut segments: Vec<(u16, u16)> = mapped
        .iter()
        .filter_map(|(code, glyph)| {
            let code = u16::try_from(*code).ok().filter(|code| *code != u16::MAX)?;
            Some((code, glyph.wrapping_sub(code)))
        })
        .collect();
    segments.push((u16::MAX, 1));
    let count = u16::try_from(segments.len()).unwrap_or(u16::MAX);
    let codes: Vec<u16> = segments.iter().map(|(code, _)| *code).collect();
    let deltas: Vec<u16> = segments.iter().map(|(_, delta)| *delta).collect();
    let power = count.checked_ilog2().unwrap_or(0);
    let range = 2_u16 << power;
    let mut out = Vec::new();
    put16(&mut out, &[4, 16_u16.saturating_add(count.saturating_mul(8)), 0]);
    let selector = u16::try_from(power).unwrap_or(0);
    put16(&mut out, &[count * 2, range, selector, (count * 2).saturating_sub(range)]);
    put16(&mut out, &codes);
    put16(&mut out, &[0]);
    put16(&mut out, &codes);
    put16(&mut out, &deltas);
    put16(&mut out, &vec![0; segments.len()]);
    out
}

fn format_12(mapped: &BTreeMap<u32, u16>) -> Vec<u8> {
    let count = u32::try_from(mapped.len()).unwrap_or(u32::MAX);
    let mut out = Vec::new();
    put16(&mut out, &[12, 0]);
    put32(&mut out, &[16_u32.saturating_add(count.saturating_mul(12)), 0, count]);
    for (code, glyph) in mapped {
        put32(&mut out, &[*code, *code, u32::from(*glyph)]);
    }
    out
}

/// `OS/2` of the source font with the range of characters that is left.
fn os2(font: &FontSource, mapped: &BTreeMap<u32, u16>) -> Option<Vec<u8>> {
    let mut table = tables_of_source(font)?;
    let clamp = |code: Option<&u32>| u16::try_from(*code.unwrap_or(&0)).unwrap_or(u16::MAX);
    let first = clamp(mapped.keys().next()).to_be_bytes();
    let last = clamp(mapped.keys().next_back()).to_be_bytes();
    // OS/2: usFirstCharIndex at 64, usLastCharIndex at 66.
    table.get_mut(64..66)?.copy_from_slice(&first);
    table.get_mut(66..68)?.copy_from_slice(&last);
    Some(table)
}

fn tables_of_source(font: &FontSource) -> Option<Vec<u8>> {
    use skrifa::raw::{FontRef, TableProvider, types::Tag};
    let font = FontRef::new(font.data()).ok()?;
    font.data_for_tag(Tag::new(b"OS/2")).map(|data| data.as_bytes().to_vec())
}

/// The file: directory, tables in order of their tags, checksums.
fn assemble(flavour: &[u8], mut tables: BTreeMap<[u8; 4], Vec<u8>>) -> Option<Vec<u8>> {
    // head: checkSumAdjustment at 8 is zero while sums are taken.
    tables.get_mut(b"head")?.get_mut(8..12)?.fill(0);
    let count = u16::try_from(tables.len()).ok()?;
    let power = count.checked_ilog2()?;
    let range = 16_u16 << power;
    let mut out = flavour.to_vec();
    put16(&mut out, &[count, range, u16::try_from(power).ok()?, (count * 16).checked_sub(range)?]);
    let mut offset = 12 + usize::from(count) * 16;
    let mut head = 0;
    for (tag, table) in &tables {
        if tag == b"head" {
            head = offset;
        }
        out.extend(tag);
        let length = u32::try_from(table.len()).ok()?;
        put32(&mut out, &[sum(table), u32::try_from(offset).ok()?, length]);
        offset += table.len().next_multiple_of(4);
    }
    for table in tables.values() {
        out.extend(table);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    let adjustment = 0xB1B0_AFBA_u32.wrapping_sub(sum(&out));
    out.get_mut(head + 8..head + 12)?.copy_from_slice(&adjustment.to_be_bytes());
    Some(out)
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks(4).fold(0, |sum: u32, chunk| {
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        sum.wrapping_add(u32::from_be_bytes(word))
    })
}

fn put16(out: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| out.extend(value.to_be_bytes()));
}

fn put32(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| out.extend(value.to_be_bytes()));
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subset_is_a_font_of_its_own_with_the_same_glyphs() {
        let font = FontSource::built_in().unwrap();
        let text = "存证编号 Evidence 0123";
        let bytes = subset(&font, text.chars()).unwrap();
        assert!(bytes.len() < 12_000, "{} bytes", bytes.len());
        assert_eq!(sum(&bytes), 0xB1B0_AFBA, "checksum of the whole file");
        let cut = FontSource::from_bytes(bytes.clone()).unwrap();
        for character in text.chars() {
            let (old, new) = (font.glyph(character).unwrap(), cut.glyph(character).unwrap());
            assert_eq!(old.advance, new.advance, "{character}");
            assert_eq!(
                super::super::outline(&font, old.id),
                super::super::outline(&cut, new.id),
                "{character}"
            );
        }
        assert_eq!(cut.glyph('书'), None);
        assert_eq!(subset(&font, text.chars().rev()).unwrap(), bytes, "order does not matter");
        assert_eq!(subset(&font, "龘".chars()), None);
    }
}
