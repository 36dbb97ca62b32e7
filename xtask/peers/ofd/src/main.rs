//! `ofd FILE [PREFIX]`: prints what ofd-core reads of an OFD, a line for each text run (`text …`), each digest of each
//! signature (`digest FILE STATUS`) and its verdict (`verdict …`); with a prefix draws page n to `PREFIX-n.png`.

use std::{env, error::Error, process::ExitCode};

use ofd_core::{OfdReader, PageBlock, RenderOptions};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("usage: ofd FILE [PREFIX]");
        return ExitCode::from(2);
    };
    match run(&file, arguments.next().as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(file: &str, prefix: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut reader = OfdReader::open(file)?;
    let body = reader.ofd().doc_bodies.first().ok_or("no document")?.clone();
    let document = reader.load_document(&body)?;
    for (index, page) in document.pages().to_vec().iter().enumerate() {
        let loaded = reader.load_page(&document, page)?;
        for layer in loaded.content.iter().flat_map(|content| &content.layers) {
            layer.objects.iter().for_each(text);
        }
        if let Some(prefix) = prefix {
            let name = format!("{prefix}-{}.png", index + 1);
            reader.render_page_to_file(&document, index, &RenderOptions::with_dpi(192.0), name)?;
        }
    }
    for signature in reader.verify_signatures()? {
        for one in &signature.references {
            println!("digest {} {:?}", one.file_ref, one.status);
        }
        println!("verdict {} {:?}", signature.sig_type, signature.verdict());
    }
    Ok(())
}

fn text(block: &PageBlock) {
    match block {
        PageBlock::Text(run) => {
            let codes = run.text_codes.iter().map(|code| code.text.as_deref().unwrap_or_default());
            println!("text {}", codes.collect::<String>());
        }
        PageBlock::Block(group) => group.objects.iter().for_each(text),
        _ => {}
    }
}
