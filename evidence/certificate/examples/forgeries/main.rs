//! Writes forgeries of a bundle into a directory, to see a verifier notice each: `forgeries BUNDLE ORIGINAL DIR`.
//!
//! `DIR/list.tsv` says of each what was done and which element must name it. The forgers know everything but the keys of
//! the city: a forged signature is made with keys of their own.

mod forge;

use std::{error::Error, fmt::Write as _, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [bundle, original, dir] = arguments.as_slice() else {
        return Err("forgeries BUNDLE ORIGINAL DIR".into());
    };
    let (bundle, original) = (fs::read(bundle)?, fs::read(original)?);
    let dir = Path::new(dir);
    fs::create_dir_all(dir)?;
    let mut list = String::new();
    for forgery in forge::forgeries(&bundle, &original)? {
        let place = dir.join(forgery.name);
        fs::create_dir_all(&place)?;
        fs::write(place.join("bundle.zip"), &forgery.bundle)?;
        fs::write(place.join("original"), &forgery.original)?;
        writeln!(list, "{}\t{}\t{}", forgery.name, forgery.element, forgery.what)?;
    }
    fs::write(dir.join("list.tsv"), list)?;
    Ok(())
}
