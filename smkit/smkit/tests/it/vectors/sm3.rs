//! `sm3.json` and `hmac_sm3.json`.

use smkit::{HmacSm3, Sm3, hmac_sm3, sm3, sm3::kdf::pbkdf2, sm3_many, verify_hmac_sm3};

use super::{array, bytes, items, number, walk};

#[test]
fn digests() {
    walk(include_str!("../../../testdata/sm3.json"), |name, entry| {
        match name {
            "vectors" => {
                let items = items(entry, &["msg", "digest"]);
                let messages: Vec<_> = items.iter().map(|item| bytes(&item["msg"])).collect();
                let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
                for ((item, message), lane) in items.iter().zip(&messages).zip(sm3_many(&borrowed))
                {
                    assert_eq!(sm3(message).to_string(), item["digest"]);
                    assert_eq!(lane.to_string(), item["digest"]);
                }
            }
            "million_a" => {
                let mut hasher = Sm3::new();
                (0..10_000).for_each(|_| hasher.update(&[b'a'; 100]));
                assert_eq!(hasher.finalize().to_string(), entry.as_str().unwrap());
            }
            _ => return false,
        }
        true
    });
}

#[test]
fn codes_and_passwords() {
    walk(include_str!("../../../testdata/hmac_sm3.json"), |name, entry| {
        match name {
            "vectors" => {
                for item in items(entry, &["key", "msg", "mac"]) {
                    let (key, message) = (bytes(&item["key"]), bytes(&item["msg"]));
                    let code = array::<32>(&item["mac"]).into();
                    assert_eq!(hmac_sm3(&key, &[&message]), code);
                    assert!(verify_hmac_sm3(&key, &[&message], &code));
                    let mut pieces = HmacSm3::new(&key);
                    message.chunks(7).for_each(|piece| pieces.update(piece));
                    assert!(pieces.verify(&code));
                }
            }
            "pbkdf2_hmac_sm3" => {
                for item in items(entry, &["password", "salt", "iter", "dklen", "dk"]) {
                    let rounds = u32::try_from(number(&item["iter"])).unwrap().try_into().unwrap();
                    let mut key = vec![0; number(&item["dklen"])];
                    let (password, salt) = (bytes(&item["password"]), bytes(&item["salt"]));
                    pbkdf2(&password, &salt, rounds, &mut key).unwrap();
                    assert_eq!(key, bytes(&item["dk"]));
                }
            }
            _ => return false,
        }
        true
    });
}
