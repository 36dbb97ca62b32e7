//! Messages whose tag stands behind the ciphertext: what GCM and CCM offer alike, over their two detached methods.

/// `seal_in_place` and `open_in_place` of a mode.
macro_rules! in_place {
    ($mode:ident) => {
        impl $mode {
            /// Encrypts `data` in place and appends the tag of [`TAG_BYTES`](crate::sm4::TAG_BYTES).
            ///
            /// # Errors
            /// As [`seal_detached`](Self::seal_detached); nothing is changed then.
            pub fn seal_in_place(
                &self,
                nonce: &[u8; NONCE_BYTES],
                aad: &[u8],
                data: &mut Vec<u8>,
            ) -> Result<(), Sm4Error> {
                let tag = self.seal_detached(nonce, aad, data)?;
                data.extend_from_slice(&tag);
                Ok(())
            }

            /// Checks the tag at the end, decrypts `data` in place and removes the tag.
            ///
            /// # Errors
            /// Shorter than a tag, or as [`open_detached`](Self::open_detached). `data` is then the ciphertext as it came: no
            /// unauthenticated plaintext is left in it.
            pub fn open_in_place(
                &self,
                nonce: &[u8; NONCE_BYTES],
                aad: &[u8],
                data: &mut Vec<u8>,
            ) -> Result<(), Sm4Error> {
                let (body, tag) = data.split_last_chunk_mut().ok_or(Sm4Error::Authentication)?;
                let body_bytes = body.len();
                self.open_detached(nonce, aad, body, tag)?;
                data.truncate(body_bytes);
                Ok(())
            }
        }
    };
}

pub(super) use in_place;
