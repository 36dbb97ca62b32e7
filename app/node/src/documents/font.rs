//! `platform.font`: a font for what the built-in one cannot write.

use std::path::Path;

use changbai_certificate::FontSource;
use changbai_certificate::limits::FONT_BYTES_MAX;

use crate::config::ValidConfig;
use crate::error::StartError;
use crate::identity::wrong;

/// The configured font, relative to the configuration file; a file that is no font refuses the start.
pub(crate) fn open(config: &ValidConfig) -> Result<Option<FontSource>, StartError> {
    let name = &config.settings.platform.font;
    if name.is_empty() {
        return Ok(None);
    }
    let folder = config.file.parent().unwrap_or_else(|| Path::new("."));
    let file = folder.join(name);
    let size = std::fs::metadata(&file).map_err(|e| StartError::file(&file, e))?.len();
    if usize::try_from(size).is_ok_and(|size| size > FONT_BYTES_MAX) {
        return Err(wrong(&file, &format!("a font of {size} bytes is too large")));
    }
    let bytes = std::fs::read(&file).map_err(|e| StartError::file(&file, e))?;
    FontSource::from_bytes(bytes).map(Some).map_err(|e| wrong(&file, &e))
}
