//! SM4 in every mode by the processor's kernels and without them: the same bytes, and back again.
#![no_main]

use changbai_fuzz::kit::on_every_path;
use smkit::sm4::{Cbc, Ccm, Ctr, Gcm, Key, Xts, XtsStandard};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("kernels_sm4"), |data: &[u8]| {
    let Some((key, rest)) = data.split_first_chunk::<16>() else { return };
    let Some((iv, rest)) = rest.split_first_chunk::<16>() else { return };
    let Some((cut, text)) = rest.split_first() else { return };
    let nonce = iv.first_chunk().expect("12 of 16");
    let (aad, text) = text.split_at(usize::from(*cut).min(text.len()));
    let key = Key::from_bytes(*key);
    on_every_path(|| {
        let mut all = [const { Vec::new() }; 6];
        all.iter_mut().for_each(|data| data.extend_from_slice(text));
        let [gcm, ccm, cbc, ctr, gb, ieee] = &mut all;

        let mode = Gcm::new(&key);
        mode.seal_in_place(nonce, aad, gcm).expect("a short message");
        back(gcm, text, |data| mode.open_in_place(nonce, aad, data).expect("our own"));
        let mode = Ccm::new(&key);
        mode.seal_in_place(nonce, aad, ccm).expect("a short message");
        back(ccm, text, |data| mode.open_in_place(nonce, aad, data).expect("our own"));
        let mode = Cbc::new(&key);
        mode.encrypt(iv, cbc);
        back(cbc, text, |data| mode.decrypt(iv, data).expect("our own"));
        let mode = Ctr::new(&key);
        mode.apply(iv, ctr);
        let at = usize::from(*cut).min(text.len());
        let mut tail = text[at..].to_vec();
        mode.apply_at(iv, at as u64, &mut tail);
        assert_eq!(tail, ctr[at..], "from the middle");

        let second = Key::from_bytes(key.expose().map(|byte| byte ^ 1));
        for (unit, standard) in [(gb, XtsStandard::GbT17964), (ieee, XtsStandard::Ieee1619)] {
            let mode = Xts::new(&key, &second, standard).expect("two keys");
            if mode.encrypt(iv, unit).is_ok() {
                back(unit, text, |data| mode.decrypt(iv, data).expect("our own"));
            }
        }
        all
    });
});

fn back(sealed: &[u8], text: &[u8], open: impl Fn(&mut Vec<u8>)) {
    let mut data = sealed.to_vec();
    open(&mut data);
    assert_eq!(data, text, "and back again");
}
