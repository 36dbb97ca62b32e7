//! The check character of evidence ids and e-licence identifiers.

/// ISO 7064 MOD 37,36 check character of `body` (digits and upper-case letters); `None` for any other byte.
pub(crate) fn mod_37_36(body: &str) -> Option<char> {
    let mut p = 36;
    for byte in body.bytes() {
        let value = ALPHABET.iter().position(|&c| c == byte)?;
        p = match (p + value) % 36 {
            0 => 36,
            rest => rest,
        } * 2
            % 37;
    }
    ALPHABET.get((37 - p) % 36).map(|&c| char::from(c))
}

const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

#[cfg(test)]
mod tests {
    use super::mod_37_36;

    #[test]
    fn public_licence_identifiers_have_their_check_character() {
        // GB/T 36904 identifiers published by provinces; the second has a six-digit issuer in the wild.
        for (body, check) in [
            ("11100000000013338W01111430000006122244L20230000403001", 'U'),
            ("11100000MB03271699022340100000000016001", '9'),
            ("11100000000013338W00911330105002500287C2025052201002", '0'),
        ] {
            assert_eq!(mod_37_36(body), Some(check), "{body}");
        }
    }

    #[test]
    fn other_bytes_have_no_check_character() {
        for body in ["a", "A B", "存", "A.B"] {
            assert_eq!(mod_37_36(body), None);
        }
    }
}
