//! A channel's configuration as files that people read and write: TOML, and certificates beside it.

use std::io::Read as _;
use std::path::Path;

use changbai_msp::{ChannelConfig, limits::FILE_BYTES_MAX};

use crate::directory::write_whole;
use crate::error::StartError;

/// Reads a configuration; certificates are found beside the file.
///
/// # Errors
/// [`StartError::File`], or [`StartError::ChannelFile`] with the key that is wrong.
pub fn read(file: &Path) -> Result<ChannelConfig, StartError> {
    let text = bounded(file).map_err(|e| StartError::file(file, e))?;
    let refuse = |reason: String| StartError::ChannelFile { file: file.to_owned(), reason };
    let text = String::from_utf8(text).map_err(|_| refuse("the file is not text".to_owned()))?;
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    ChannelConfig::from_toml(&text, &|path| bounded(&folder.join(path)))
        .map_err(|e| refuse(e.to_string()))
}

/// Writes a configuration, and its certificates into a folder beside it: `channel.toml` has `channel-certificates/`.
///
/// # Errors
/// [`StartError::File`].
pub fn write(file: &Path, config: &ChannelConfig) -> Result<(), StartError> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let folder = format!("{}-certificates", stem.as_deref().unwrap_or("channel"));
    let (text, files) = config.to_toml_with_files(&folder);
    let beside = file.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(beside.join(&folder))
        .map_err(|e| StartError::file(&beside.join(&folder), e))?;
    for (path, pem) in files {
        let path = beside.join(path);
        // Copies of what the configuration holds anyway: they need not survive a power failure.
        std::fs::write(&path, pem).map_err(|e| StartError::file(&path, e))?;
    }
    write_whole(file, text.as_bytes(), 0o644)
}

fn bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    std::fs::File::open(file)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}
