//! `changbai sm3`: digests of files, in the form of `openssl dgst -sm3`.

use std::{io, path::Path};

use changbai_receipt::{HashedOriginal, hash_original};

use crate::{
    args,
    error::CliError,
    messages::{Message, word},
    output,
    run::{Context, EXIT_FAILED, EXIT_OK},
    stream::{self, Metered},
};

/// Prints one line a file; a file that cannot be read is reported and the others go on.
pub(crate) fn run(args: &args::Sm3, context: &Context) -> Result<u8, CliError> {
    let mut code = EXIT_OK;
    for path in &args.files {
        match digest(path, context) {
            Ok(hashed) => output::line(&format!("SM3({})= {}", hashed.name, hashed.sm3))?,
            Err(error) => {
                error.report(context.lang, false);
                code = EXIT_FAILED;
            }
        }
    }
    Ok(code)
}

/// Hashes one file, or standard input for `-`, in constant memory.
pub(crate) fn digest(path: &Path, context: &Context) -> Result<HashedOriginal, CliError> {
    let label = word(context.lang, Message::Hashing);
    if path.as_os_str() == "-" {
        return hash_original("stdin", &mut io::stdin().lock()).map_err(CliError::read("-"));
    }
    let (file, bytes) = stream::open(path)?;
    let mut reader = Metered::new(file, label, bytes);
    hash_original(&path.to_string_lossy(), &mut reader).map_err(CliError::read(path))
}
