//! One font: which glyph a character has, how wide it is, what it looks like.

mod outline;
pub(crate) mod subset;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
};
use smkit::{Sm3Digest, sm3};

pub(crate) use self::outline::{Outline, Segment, outline};
use crate::limits::FONT_BYTES_MAX;

/// A parsed font; cheap to clone, made once and used for many certificates.
#[derive(Clone)]
pub struct FontSource(Arc<Inner>);

struct Inner {
    data: Bytes,
    sm3: Sm3Digest,
    units_per_em: u16,
    glyphs: HashMap<char, Glyph>,
    krilla: krilla::text::Font,
}

#[derive(Clone)]
enum Bytes {
    Static(&'static [u8]),
    Shared(Arc<Vec<u8>>),
}

/// A glyph of the font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glyph {
    pub(crate) id: u16,
    /// In font units.
    pub(crate) advance: u16,
}

/// Why a font is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FontError {
    /// Larger than the bound.
    #[error("the font has {found_bytes} bytes, more than {FONT_BYTES_MAX}")]
    TooLarge {
        /// Its size.
        found_bytes: usize,
    },
    /// Not an OpenType font with a character map.
    #[error("not an OpenType font: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl FontSource {
    /// The font that comes with this crate: Noto Serif CJK SC, cut down to GB 2312, ASCII, Latin-1 and a few signs.
    ///
    /// # Errors
    /// [`FontError`] if the committed file is damaged.
    pub fn built_in() -> Result<Self, FontError> {
        static FONT: OnceLock<Result<FontSource, FontError>> = OnceLock::new();
        FONT.get_or_init(|| Self::parse(Bytes::Static(BUILT_IN))).clone()
    }

    /// A font of the caller's, for characters that the built-in one lacks: one OpenType face with outlines, whose
    /// licence allows a subset to be embedded.
    ///
    /// # Errors
    /// [`FontError`].
    pub fn from_bytes(data: Vec<u8>) -> Result<Self, FontError> {
        if data.len() > FONT_BYTES_MAX {
            return Err(FontError::TooLarge { found_bytes: data.len() });
        }
        Self::parse(Bytes::Shared(Arc::new(data)))
    }

    fn parse(data: Bytes) -> Result<Self, FontError> {
        let malformed = |reason| FontError::Malformed { reason };
        let font = FontRef::new(data.as_slice()).map_err(|_| malformed("no table directory"))?;
        let units_per_em = font.metrics(Size::unscaled(), LocationRef::default()).units_per_em;
        if units_per_em == 0 {
            return Err(malformed("no units per em"));
        }
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let mut glyphs = HashMap::new();
        for (code, id) in font.charmap().mappings() {
            let (Some(character), Ok(id)) = (char::from_u32(code), u16::try_from(id.to_u32()))
            else {
                continue;
            };
            let advance = metrics.advance_width(id.into()).unwrap_or_default();
            if id != 0 && (0.0..=f32::from(u16::MAX)).contains(&advance) {
                // Unscaled advances are whole font units, and the range was just checked.
                #[expect(clippy::cast_possible_truncation, reason = "within u16")]
                glyphs.insert(character, Glyph { id, advance: advance as u16 });
            }
        }
        if glyphs.is_empty() {
            return Err(malformed("no character map"));
        }
        let krilla = match &data {
            Bytes::Static(bytes) => krilla::text::Font::new((*bytes).into(), 0),
            Bytes::Shared(bytes) => krilla::text::Font::new(Arc::clone(bytes).into(), 0),
        };
        let krilla = krilla.ok_or_else(|| malformed("no usable face"))?;
        let sm3 = sm3(data.as_slice());
        Ok(Self(Arc::new(Inner { data, sm3, units_per_em, glyphs, krilla })))
    }

    /// The glyph of a character.
    pub(crate) fn glyph(&self, character: char) -> Option<Glyph> {
        self.0.glyphs.get(&character).copied()
    }

    pub(crate) fn units_per_em(&self) -> u16 {
        self.0.units_per_em
    }

    pub(crate) fn data(&self) -> &[u8] {
        self.0.data.as_slice()
    }

    /// SM3 of the font file.
    pub(crate) fn sm3(&self) -> &Sm3Digest {
        &self.0.sm3
    }

    pub(crate) fn krilla(&self) -> &krilla::text::Font {
        &self.0.krilla
    }
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Static(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl std::fmt::Debug for FontSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FontSource")
            .field("bytes", &self.data().len())
            .field("characters", &self.0.glyphs.len())
            .finish_non_exhaustive()
    }
}

static BUILT_IN: &[u8] = include_bytes!("../assets/NotoSerifCJKsc-GB2312.otf");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_font_has_what_documents_need_and_says_what_it_lacks() {
        let font = FontSource::built_in().unwrap();
        for character in "区块链电子数据存证证书〇（）：、“”—…·•Aaz09/-_".chars()
        {
            assert!(font.glyph(character).is_some(), "{character}");
        }
        assert_eq!(font.glyph('龘'), None);
        assert_eq!(font.units_per_em(), 1_000);
        assert_eq!(font.glyph('证').map(|glyph| glyph.advance), Some(1_000));
    }

    #[test]
    fn what_is_no_font_is_refused() {
        assert!(FontSource::from_bytes(b"OTTO and nothing".to_vec()).is_err());
        assert!(FontSource::from_bytes(Vec::new()).is_err());
        let too_large = vec![0; FONT_BYTES_MAX + 1];
        let found_bytes = too_large.len();
        assert_eq!(
            FontSource::from_bytes(too_large).unwrap_err(),
            FontError::TooLarge { found_bytes }
        );
        let half = BUILT_IN.get(..BUILT_IN.len() / 2).unwrap();
        drop(FontSource::from_bytes(half.to_vec()));
    }
}
