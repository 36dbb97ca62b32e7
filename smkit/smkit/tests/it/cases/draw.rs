//! Choices that repeat from a seed.

use std::sync::LazyLock;

use smkit::sm2::{PrivateKey, SignerId};

/// Bytes from a seed.
pub(crate) struct Draw {
    seed: smkit::Sm3Digest,
    count: u64,
}

impl Draw {
    pub(crate) fn new(seed: &str) -> Self {
        Self { seed: smkit::sm3(seed.as_bytes()), count: 0 }
    }

    pub(crate) fn block(&mut self) -> [u8; 32] {
        self.count += 1;
        *smkit::sm3_parts(&[self.seed.as_bytes(), &self.count.to_be_bytes()]).as_bytes()
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let [a, b, c, d, ..] = self.block();
        u32::from_be_bytes([a, b, c, d]) as usize % limit
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let blocks = length.div_ceil(32);
        let mut bytes: Vec<u8> = (0..blocks).flat_map(|_| self.block()).collect();
        bytes.truncate(length);
        bytes
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).try_into().unwrap()
    }

    /// Bytes of a [`length`](Self::length).
    pub(crate) fn data(&mut self) -> Vec<u8> {
        let length = self.length();
        self.bytes(length)
    }

    /// A length at which something changes in a block cipher, a digest or a vector kernel, or any other.
    pub(crate) fn length(&mut self) -> usize {
        match self.below(16) {
            0 => LONG[self.below(LONG.len())],
            1..=4 => LENGTHS[self.below(LENGTHS.len())],
            5..=7 => self.below(1_200),
            _ => self.below(200),
        }
    }

    /// A number in \[1, n−2\]: one in four at an edge, or with coordinates of its multiple of G that begin with zeros.
    pub(crate) fn scalar(&mut self) -> [u8; 32] {
        loop {
            let scalar = match self.below(8) {
                0 => EDGES[self.below(EDGES.len())],
                1 => LEADING_ZEROS[self.below(LEADING_ZEROS.len())],
                _ => self.block(),
            };
            if PrivateKey::from_bytes(&scalar).is_ok() {
                return scalar;
            }
        }
    }

    /// An identity: mostly the default one, and every extreme of length.
    pub(crate) fn id(&mut self, empty: bool, bytes_max: usize) -> Vec<u8> {
        match self.below(64) {
            0..=7 => SignerId::TLS13.as_bytes().to_vec(),
            8..=15 => {
                let length = 1 + self.below(60);
                self.bytes(length)
            }
            16..=17 if empty => Vec::new(),
            18 => {
                let length = bytes_max - self.below(2);
                self.bytes(length)
            }
            // One byte of ENTL changes here, and the first block of ZA is full there.
            19 => {
                let length = [31, 32, 61, 62, 63][self.below(5)];
                self.bytes(length)
            }
            _ => SignerId::DEFAULT.as_bytes().to_vec(),
        }
    }
}

/// Scalars whose multiple of G has an x or a y below 2²⁴⁸, found by trying.
static LEADING_ZEROS: LazyLock<Vec<[u8; 32]>> = LazyLock::new(|| {
    (1_u16..)
        .map(|candidate| {
            let mut scalar = [0; 32];
            scalar[30..].copy_from_slice(&candidate.to_be_bytes());
            scalar
        })
        .filter(|scalar| {
            let sec1 = PrivateKey::from_bytes(scalar).unwrap().public_key().to_sec1();
            sec1[1] == 0 || sec1[33] == 0
        })
        .take(24)
        .collect()
});

const LENGTHS: [usize; 28] = [
    0, 1, 15, 16, 17, 31, 32, 33, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 255, 256,
    257, 511, 512, 513, 1_023, 1_024,
];
/// Where GCM turns from cipher to hash, and kernels from full groups to a rest.
const LONG: [usize; 8] = [1_025, 2_047, 2_049, 4_096, 4_097, 8_191, 8_192, 8_193];

/// Numbers around 0, 2¹²⁸, 2²⁵⁵ and n.
pub(crate) const EDGES: [[u8; 32]; 12] = [
    [0; 32],
    small(1),
    small(2),
    small(3),
    order_minus(3),
    order_minus(2),
    order_minus(1),
    order_minus(0),
    // n + 1
    {
        let mut number = order_minus(0);
        number[31] += 1;
        number
    },
    {
        let mut number = [0; 32];
        number[0] = 0x80;
        number
    },
    {
        let mut number = [0; 32];
        number[15] = 1;
        number
    },
    [0xff; 32],
];

const fn small(value: u8) -> [u8; 32] {
    let mut number = [0; 32];
    number[31] = value;
    number
}

/// n − `less`; the last byte of n is 23 hexadecimal.
const fn order_minus(less: u8) -> [u8; 32] {
    let mut number = [
        0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5,
        0x41, 0x23,
    ];
    number[31] -= less;
    number
}
