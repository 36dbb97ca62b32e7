//! A first look at foreign DER: how deep, and how many elements in one place.

/// Walks over the elements without building anything: a megabyte of tiny elements must not become a gigabyte of structures
/// before somebody counts them.
///
/// Checks depth, and the number of elements inside each constructed one; what lies in an OCTET STRING is not looked at.
/// That the whole is what it should be is left to the decoder.
pub(crate) fn check(der: &[u8], children_max: usize) -> Result<(), &'static str> {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    loop {
        while open.last().is_some_and(|innermost| innermost.end == at) {
            open.pop();
        }
        if at == der.len() {
            return Ok(());
        }
        let limit = match open.last_mut() {
            None => der.len(),
            Some(innermost) => {
                innermost.children = innermost.children.saturating_add(1);
                if innermost.children > children_max {
                    return Err("too many elements in one place");
                }
                innermost.end
            }
        };
        let header = der.get(at..limit).and_then(header).ok_or("not an element of DER")?;
        let start = at.saturating_add(header.bytes);
        let end = start.saturating_add(header.content_bytes);
        if end > limit {
            return Err("an element that is longer than what it lies in");
        }
        if !header.constructed {
            at = end;
            continue;
        }
        if open.len() >= DEPTH_MAX {
            return Err("elements too deep inside each other");
        }
        open.push(Open { end, children: 0 });
        at = start;
    }
}

/// A constructed element that has begun.
struct Open {
    end: usize,
    children: usize,
}

struct Header {
    bytes: usize,
    content_bytes: usize,
    constructed: bool,
}

/// Tags below 31 and definite lengths of up to four bytes: all that our structures have.
fn header(der: &[u8]) -> Option<Header> {
    let (tag, rest) = der.split_first()?;
    if tag & TAG_NUMBER == TAG_NUMBER {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    let (length_bytes, content_bytes) = match *first {
        short @ ..=0x7f => (0, usize::from(short)),
        long @ 0x81..=0x84 => {
            let count = usize::from(long & 0x7f);
            let digits = rest.get(..count)?;
            (count, digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit)))
        }
        _ => return None,
    };
    Some(Header { bytes: 2 + length_bytes, content_bytes, constructed: tag & CONSTRUCTED != 0 })
}

const TAG_NUMBER: u8 = 0x1f;
const CONSTRUCTED: u8 = 0x20;
const DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_numbers_are_bounded() {
        assert_eq!(check(&[], 2), Ok(()));
        assert_eq!(check(&[0x30, 4, 5, 0, 5, 0], 2), Ok(()));
        assert!(check(&[0x30, 6, 5, 0, 5, 0, 5, 0], 2).is_err());
        // Two pairs in a pair.
        assert_eq!(check(&[0x30, 8, 0x31, 2, 5, 0, 0xa0, 2, 5, 0], 2), Ok(()));
        assert_eq!(check(&[0x30, 0], 0), Ok(()));
        for bad in [
            [0x30].as_slice(),
            &[0x30, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x85, 0, 0, 0, 0, 1],
            &[0x3f, 0x21, 0],
            &[0x30, 2, 4, 1],
            &[0x30, 3, 4, 2, 0, 0],
        ] {
            assert!(check(bad, 10).is_err(), "{bad:02x?}");
        }
        let nested = |depth: usize| {
            (0..depth).fold(Vec::new(), |inner, _| {
                let length = u8::try_from(inner.len()).unwrap();
                [&[0x30, length], inner.as_slice()].concat()
            })
        };
        assert_eq!(check(&nested(32), 1), Ok(()));
        assert!(check(&nested(33), 1).is_err());
    }
}
