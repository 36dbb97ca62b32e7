//! `changbai seal`: makes electronic seals (电子印章), and says in words what one holds.

use std::path::Path;

use changbai_certificate::{FontSource, draw_round_seal, seal_picture_from_png};
use serde_json::{Value, json};
use smkit::sm2::{SignerId, SigningKey};
use smkit_pki::{
    Certificate, Seal as Ses, SealPicture, SealSignature, SealSigners, SealTerms, SealVersion,
    SealedAs,
};

use crate::args::seal::{Make, Seal, Show};
use crate::error::CliError;
use crate::messages::{Message, text};
use crate::output::{self, Table};
use crate::pki::{create, failed, private_key, read_certificates, wrong};
use crate::run::{Context, EXIT_FAILED, EXIT_OK};
use crate::{stream, time};

/// Runs one of the commands.
pub(crate) fn run(args: &Seal, context: &Context) -> Result<u8, CliError> {
    match args {
        Seal::Make(args) => make(args, context),
        Seal::Show(args) => show(args, context),
    }
}

fn make(args: &Make, context: &Context) -> Result<u8, CliError> {
    let maker = first(&args.maker_cert)?;
    let key = SigningKey::new(private_key(&args.maker_key)?, SignerId::DEFAULT)
        .map_err(|error| wrong(&args.maker_key, &error))?;
    // The first certificate of each file: the others are those above it.
    let signers = args.signers.iter().map(|path| first(path)).collect::<Result<Vec<_>, _>>()?;
    let signers = if args.digests {
        SealSigners::Digests(signers.iter().map(Certificate::sm3).collect())
    } else {
        SealSigners::Certificates(signers)
    };
    let now = i64::try_from(time::unix_ms() / 1_000).unwrap_or(i64::MAX);
    let terms = SealTerms {
        version: if args.v5 { SealVersion::V5 } else { SealVersion::V4 },
        id: &args.id,
        vendor: VENDOR,
        sealed_as: if args.person { SealedAs::Person } else { SealedAs::Organisation },
        name: &args.name,
        signers,
        created: now,
        valid_from: now,
        valid_to: now.saturating_add(i64::from(args.days).saturating_mul(DAY_S)),
        picture: picture(args)?,
    };
    let seal = Ses::make(&terms, &maker, &key).map_err(|error| failed(&error))?;
    create(&args.out, seal.der(), 0o644)?;
    if args.json {
        output::json(&json!({ "seal": args.out.display().to_string(), "facts": facts(&seal) }))?;
    } else {
        let path = args.out.display().to_string();
        let values = [("path", path.as_str()), ("name", seal.name()), ("id", seal.id())];
        output::line(&text(context.lang, Message::SealMade, &values))?;
    }
    Ok(EXIT_OK)
}

fn picture(args: &Make) -> Result<SealPicture, CliError> {
    if let Some(path) = &args.picture {
        return seal_picture_from_png(stream::read_bytes(path)?, args.width_mm)
            .map_err(|error| wrong(path, &error));
    }
    let font = match &args.font {
        Some(path) => {
            let bytes = stream::read_bytes(path)?;
            FontSource::from_bytes(bytes).map_err(|error| wrong(path, &error))?
        }
        None => FontSource::built_in().map_err(|error| failed(&error))?,
    };
    let arc = args.arc.as_deref().unwrap_or(&args.name);
    draw_round_seal(&font, arc, args.line.as_deref()).map_err(|error| failed(&error))
}

/// Shows what a file says, and whether its signatures are right; whom to trust is `verify`'s business.
fn show(args: &Show, context: &Context) -> Result<u8, CliError> {
    let bytes = stream::read_bytes(&args.file)?;
    let (seal, mut described, right) = match SealSignature::from_der(&bytes) {
        Ok(signature) => {
            let right =
                signature.verify_signature().and_then(|()| signature.seal().verify_signature());
            let right = right.and_then(|()| {
                let listed = signature.seal().is_for(signature.signer());
                if listed { Ok(()) } else { Err(smkit_pki::SealError::NotListed) }
            });
            let described = json!({
                "kind": "signature",
                "signer": signature.signer().subject(),
                "signer_sm3": signature.signer().sm3().to_string(),
                "signed_at": signature.signed_at(),
                "data_sm3": signature.data_hash().to_string(),
                "property": signature.property(),
                "stamped_at": signature.time_stamp().map(|token| token.gen_time().as_secs()),
            });
            (signature.seal().clone(), described, right)
        }
        Err(_) => {
            let seal = Ses::from_der(&bytes).map_err(|error| wrong(&args.file, &error))?;
            let right = seal.verify_signature();
            (seal, json!({ "kind": "seal" }), right)
        }
    };
    if let (Some(all), Some(more)) = (described.as_object_mut(), facts(&seal).as_object()) {
        all.extend(more.clone());
        all.insert(
            "signatures".into(),
            json!(right.as_ref().map_or_else(|e| e.code(), |()| "right")),
        );
    }
    if let Some(path) = &args.picture {
        create(path, &seal.picture().data, 0o644)?;
    }
    if args.json {
        output::json(&described)?;
    } else {
        output::line(&rendered(&described, &right, context))?;
    }
    Ok(if right.is_ok() { EXIT_OK } else { EXIT_FAILED })
}

/// What a seal says.
fn facts(seal: &Ses) -> Value {
    let (kind, signers) = match seal.signers() {
        SealSigners::Certificates(list) => {
            ("certificates", list.iter().map(Certificate::subject).collect::<Vec<_>>())
        }
        SealSigners::Digests(list) => ("digests", list.iter().map(ToString::to_string).collect()),
    };
    let picture = seal.picture();
    let size = format!("{} {}×{} mm", picture.kind, picture.width_mm, picture.height_mm);
    json!({
        "version": seal.version().number(),
        "id": seal.id(),
        "name": seal.name(),
        "type": seal.sealed_as().number(),
        "vendor": seal.vendor(),
        "maker": seal.maker().subject(),
        "maker_sm3": seal.maker().sm3().to_string(),
        "signers_as": kind,
        "signers": signers,
        "created": seal.created(),
        "valid_from": seal.valid_from(),
        "valid_to": seal.valid_to(),
        "picture": size,
        "picture_bytes": picture.data.len(),
        "seal_stamped_at": seal.time_stamp().map(|token| token.gen_time().as_secs()),
    })
}

/// One fact a line, in words.
fn rendered(facts: &Value, right: &Result<(), smkit_pki::SealError>, context: &Context) -> String {
    let lang = context.lang;
    let word = |message| text(lang, message, &[]);
    let mut table = Table::default();
    for (name, message) in LABELS {
        let shown = match facts.get(*name) {
            None | Some(Value::Null) => continue,
            Some(Value::Number(seconds)) if TIMES.contains(name) => {
                let ms = seconds.as_u64().unwrap_or(0).saturating_mul(1_000);
                time::china_time(ms, lang)
            }
            Some(Value::String(text)) if *name == "kind" => word(if text == "seal" {
                Message::SealKindSeal
            } else {
                Message::SealKindSignature
            }),
            Some(Value::Number(number)) if *name == "type" => match number.as_u64() {
                Some(1) => word(Message::SealOrganisation),
                Some(2) => word(Message::SealPerson),
                _ => number.to_string(),
            },
            Some(Value::String(text)) => output::clean(text),
            Some(Value::Array(list)) => {
                let list = list.iter().filter_map(Value::as_str).map(output::clean);
                list.collect::<Vec<_>>().join("; ")
            }
            Some(other) => other.to_string(),
        };
        table.row([word(*message), shown]);
    }
    let said = match right {
        Ok(()) => word(Message::SealSignaturesRight),
        Err(error) => {
            let reason = match lang {
                crate::lang::Lang::Zh => error.text_zh(),
                crate::lang::Lang::En => error.to_string(),
            };
            format!("{reason} ({})", error.code())
        }
    };
    table.row([word(Message::SealSignatures), said]);
    table.render()
}

fn first(path: &Path) -> Result<Certificate, CliError> {
    let found = read_certificates(path)?.into_iter().next();
    found.ok_or_else(|| CliError::Pki { reason: path.display().to_string() })
}

const VENDOR: &str = "Changbai";
const DAY_S: i64 = 86_400;
const TIMES: [&str; 6] =
    ["signed_at", "stamped_at", "created", "valid_from", "valid_to", "seal_stamped_at"];
const LABELS: &[(&str, Message)] = &[
    ("kind", Message::SealKind),
    ("signer", Message::SealSigner),
    ("signer_sm3", Message::SealSignerSm3),
    ("signed_at", Message::SealSignedAt),
    ("stamped_at", Message::SealStampedAt),
    ("data_sm3", Message::SealDataSm3),
    ("property", Message::SealProperty),
    ("version", Message::SealVersionLabel),
    ("id", Message::SealId),
    ("name", Message::SealName),
    ("type", Message::SealType),
    ("vendor", Message::SealVendor),
    ("maker", Message::SealMaker),
    ("signers", Message::SealSigners),
    ("created", Message::SealCreated),
    ("valid_from", Message::SealValidFrom),
    ("valid_to", Message::SealValidTo),
    ("seal_stamped_at", Message::SealSealStampedAt),
    ("picture", Message::SealPictureLabel),
];
