//! A validator whose identity its agency and the others revoke while everybody works.

use std::fs;

use smkit_pki::Certificate;

use super::load::Load;
use crate::consortium::Consortium;

#[test]
fn who_is_revoked_is_out_at_once_and_the_others_go_on() {
    let consortium = Consortium::init(&["--agencies", "5"]);
    consortium.ok("network up --dir net");
    consortium.until("five nodes with a quorum", |code, _| code == 0);
    let nodes = consortium.status().1;
    let names: Vec<String> =
        nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect();
    let rest: Vec<&str> = names.iter().map(String::as_str).filter(|n| *n != "digital").collect();
    let load = Load::default();
    load.during(&consortium, &["ndrc", "hrss"], || {
        load.goes_on(&consortium, 2);
        consortium.ok("channel info changchun --config new.toml --dir net/ndrc");
        let file = consortium.home.path().join("new.toml");
        let toml = fs::read_to_string(&file).unwrap();
        let certificate = consortium.dir().join("digital/identity/node.cert.pem");
        let certificate = Certificate::from_pem(&fs::read_to_string(certificate).unwrap()).unwrap();
        let toml = without(&toml, "ChangchunDigital", &certificate.sm3().to_string());
        fs::write(&file, toml).unwrap();
        let report = consortium.json(
            "channel update changchun --config new.toml --submit --dir net/ndrc \
             --sign-with net/ndrc --sign-with net/hrss --sign-with net/digital",
        );
        assert_eq!(report["submitted"]["config_sequence"], 1, "{report}");
        consortium.until("its links are closed", |_, nodes| {
            nodes.iter().all(|node| {
                let others = if node["name"] == "digital" { 0 } else { 3 };
                node["state"] == "running" && node["peers_connected"] == others
            })
        });
        let out = consortium.tip("digital").0;
        load.goes_on(&consortium, 6);
        assert!(consortium.tip("digital").0 <= out + 1, "it still learns of blocks");
        assert!(consortium.tip("ndrc").0 > out + 1);
    });
    load.report("revoked");
    load.check(&consortium, &rest);
    // Four are left, which bear that one fails.
    consortium.kill("resources");
    load.during(&consortium, &["ndrc"], || load.goes_on(&consortium, 2));
    let rest: Vec<&str> = rest.into_iter().filter(|name| *name != "resources").collect();
    load.check(&consortium, &rest);
}

/// The configuration in which this organisation has no validator, and its node's certificate is revoked.
fn without(toml: &str, msp_id: &str, certificate: &str) -> String {
    let mut tables: Vec<String> = vec![String::new()];
    for line in toml.lines() {
        if line.starts_with('[') && !line.starts_with("[organisation.") {
            tables.push(String::new());
        }
        let table = tables.last_mut().unwrap();
        table.push_str(line);
        table.push('\n');
    }
    let own = format!("msp_id = \"{msp_id}\"\n");
    tables.retain(|table| !(table.starts_with("[[validator]]") && table.contains(&own)));
    for table in &mut tables {
        if table.starts_with("[[organisation]]") {
            *table = table.replace(&own, &format!("{own}revoked = [\"{certificate}\"]\n"));
        }
    }
    tables.concat()
}
