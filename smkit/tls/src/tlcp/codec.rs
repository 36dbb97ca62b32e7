//! Numbers and vectors as TLS writes them: big-endian, each vector behind its length.

/// Takes values from the front of bytes; `None` when there are too few.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Reads the whole of `bytes` with `read`; `None` when something is left.
    pub(crate) fn whole<T>(
        bytes: &'a [u8],
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let mut reader = Self(bytes);
        let value = read(&mut reader)?;
        reader.0.is_empty().then_some(value)
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (now, later) = self.0.split_at_checked(count)?;
        self.0 = later;
        Some(now)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (now, later) = self.0.split_first_chunk()?;
        self.0 = later;
        Some(*now)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<usize> {
        let [high, middle, low] = self.array()?;
        Some(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
    }

    pub(crate) fn vector8(&mut self) -> Option<&'a [u8]> {
        let count = self.u8()?;
        self.take(count.into())
    }

    pub(crate) fn vector16(&mut self) -> Option<&'a [u8]> {
        let count = self.u16()?;
        self.take(count.into())
    }

    pub(crate) fn vector24(&mut self) -> Option<&'a [u8]> {
        let count = self.u24()?;
        self.take(count)
    }

    /// What is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// Appends values. Lengths that do not fit their field are cut: callers bound what they write.
pub(crate) trait Put {
    fn put_u16(&mut self, value: u16);
    fn put_u24(&mut self, value: usize);
    /// Writes `fill`'s bytes behind their length in `LENGTH_BYTES` bytes.
    fn put_vector<const LENGTH_BYTES: usize>(&mut self, fill: impl FnOnce(&mut Self));
}

impl Put for Vec<u8> {
    fn put_u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_u24(&mut self, value: usize) {
        self.extend(value.to_be_bytes().iter().skip(size_of::<usize>() - 3));
    }

    fn put_vector<const LENGTH_BYTES: usize>(&mut self, fill: impl FnOnce(&mut Self)) {
        let at = self.len();
        self.extend_from_slice(&[0; LENGTH_BYTES]);
        fill(self);
        let length = self.len().saturating_sub(at + LENGTH_BYTES).to_be_bytes();
        let field = self.iter_mut().skip(at).take(LENGTH_BYTES);
        field
            .zip(length.iter().skip(size_of::<usize>() - LENGTH_BYTES))
            .for_each(|(to, from)| *to = *from);
    }
}
