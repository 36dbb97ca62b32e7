//! Many messages side by side, one per vector lane; lengths may differ.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod kernel;

#[cfg(target_arch = "x86_64")]
use alloc::vec;
use alloc::vec::Vec;

use super::{Sm3Digest, sm3_parts};
#[cfg(target_arch = "x86_64")]
use super::{
    compress::{BLOCK, IV, State, compress},
    state_bytes,
};
use crate::cpu::{self, Path};

/// A message in two parts, hashed as their concatenation.
pub(super) type Message<'a> = [&'a [u8]; 2];

/// What [`digests`] runs for three messages and more.
pub(super) fn path() -> Path {
    if cpu::has_avx512() {
        Path::Avx512
    } else if cpu::has_avx2() {
        Path::Avx2
    } else {
        super::path()
    }
}

/// SM3 of each of the `count` messages, in order.
pub(super) fn digests<'a>(count: usize, message: impl Fn(usize) -> Message<'a>) -> Vec<Sm3Digest> {
    #[cfg(target_arch = "x86_64")]
    if count >= FEWEST && cpu::has_avx512() {
        return schedule(count, message, avx512::compress);
    } else if count >= FEWEST && cpu::has_avx2() {
        return schedule(count, message, avx2::compress);
    }
    (0..count).map(|at| sm3_parts(&message(at))).collect()
}

/// Hands messages to lanes until all are done; a lane that ends takes the next message.
#[cfg(target_arch = "x86_64")]
fn schedule<'a, const LANES: usize>(
    count: usize,
    message: impl Fn(usize) -> Message<'a>,
    kernel: fn(&mut Registers<LANES>, &[&[[u8; BLOCK]]; LANES], usize),
) -> Vec<Sm3Digest> {
    let mut digests = vec![Sm3Digest([0; 32]); count];
    let order = longest_first(count, |at| message(at).iter().map(|part| part.len()).sum());
    let mut waiting =
        (0..count).map(|at| order.as_ref().and_then(|order| order.get(at)).copied().unwrap_or(at));
    let mut registers = Registers::<LANES>([[0; LANES]; 8]);
    let mut lanes = [const { Lane::IDLE }; LANES];
    loop {
        for (number, lane) in lanes.iter_mut().enumerate() {
            while lane.run().is_empty() && !lane.advance() {
                if let Some(digest) = lane.place.and_then(|place| digests.get_mut(place)) {
                    *digest = Sm3Digest(state_bytes(&registers.lane(number)));
                }
                lane.place = waiting.next();
                let Some(place) = lane.place else { break };
                lane.start(message(place));
                registers.put_lane(number, &IV);
            }
        }
        let busy = lanes.iter().filter(|lane| lane.place.is_some()).count();
        if busy < FEWEST {
            break;
        }
        let Some((filler, step)) = lanes
            .iter()
            .filter(|lane| lane.place.is_some())
            .map(Lane::run)
            .min_by_key(|run| run.len())
            .map(|run| (run, run.len()))
        else {
            break;
        };
        // An idle lane works on a copy of another lane's input; nobody reads its result.
        let inputs =
            lanes.each_ref().map(|lane| if lane.place.is_some() { lane.run() } else { filler });
        kernel(&mut registers, &inputs, step);
        lanes.iter_mut().for_each(|lane| lane.done += step);
    }
    // Too few are left to pay for a vector.
    for (number, lane) in lanes.iter_mut().enumerate() {
        let Some(place) = lane.place else { continue };
        let mut state = registers.lane(number);
        loop {
            compress(&mut state, lane.run());
            lane.done = usize::MAX;
            if !lane.advance() {
                break;
            }
        }
        if let Some(digest) = digests.get_mut(place) {
            *digest = Sm3Digest(state_bytes(&state));
        }
    }
    digests
}

/// The order that leaves the fewest lanes idle at the end; `None` when all messages take equally many blocks.
#[cfg(target_arch = "x86_64")]
fn longest_first(count: usize, length: impl Fn(usize) -> usize) -> Option<Vec<usize>> {
    let blocks = |at| (length(at) + 8) / BLOCK;
    if count == 0 {
        return None;
    }
    let first = blocks(0);
    if (1..count).all(|at| blocks(at) == first) {
        return None;
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|at| core::cmp::Reverse(blocks(*at)));
    Some(order)
}

/// One lane's message and how far it has come.
///
/// A message is up to four runs of blocks: whole blocks of the head, the block across the seam, whole blocks of the
/// body, and the padded end. Seam and end are assembled in `buffer`.
#[cfg(target_arch = "x86_64")]
struct Lane<'a> {
    /// Position of the message, `None` when idle.
    place: Option<usize>,
    stage: Stage,
    head: &'a [u8],
    body: &'a [u8],
    bits: u64,
    buffer: [[u8; BLOCK]; 2],
    /// Blocks of `buffer` in use at the stages `Seam` and `End`.
    buffered: usize,
    /// Blocks of the present run that are compressed; beyond its length when the run is over.
    done: usize,
}

#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Seam,
    Body,
    End,
}

#[cfg(target_arch = "x86_64")]
impl<'a> Lane<'a> {
    const IDLE: Self = Self {
        place: None,
        stage: Stage::End,
        head: &[],
        body: &[],
        bits: 0,
        buffer: [[0; BLOCK]; 2],
        buffered: 0,
        done: 0,
    };

    /// Begins a message; its first run may be empty.
    fn start(&mut self, [head, body]: Message<'a>) {
        let bytes = (head.len() as u64).wrapping_add(body.len() as u64);
        (self.head, self.body, self.bits) = (head, body, bytes.wrapping_mul(8));
        (self.stage, self.done) = (if head.is_empty() { Stage::Body } else { Stage::Head }, 0);
    }

    /// Blocks of the present run still to compress.
    fn run(&self) -> &[[u8; BLOCK]] {
        let all = match self.stage {
            Stage::Head => self.head.as_chunks().0,
            Stage::Body => self.body.as_chunks().0,
            Stage::Seam | Stage::End => self.buffer.get(..self.buffered).unwrap_or_default(),
        };
        all.get(self.done..).unwrap_or_default()
    }

    /// Goes to the next run; `false` after the last.
    fn advance(&mut self) -> bool {
        match self.stage {
            Stage::End => return false,
            Stage::Head => {
                let rest = self.head.as_chunks::<BLOCK>().1;
                self.stage = match self.body.split_at_checked(BLOCK - rest.len()) {
                    _ if rest.is_empty() => Stage::Body,
                    Some((seam, body)) => {
                        let [block, _] = &mut self.buffer;
                        fill(block, rest.iter().chain(seam));
                        (self.body, self.buffered) = (body, 1);
                        Stage::Seam
                    }
                    None => {
                        self.finish(rest, self.body);
                        Stage::End
                    }
                };
            }
            Stage::Seam => self.stage = Stage::Body,
            Stage::Body => {
                self.finish(&[], self.body.as_chunks::<BLOCK>().1);
                self.stage = Stage::End;
            }
        }
        self.done = 0;
        true
    }

    /// The last bytes (fewer than a block), the bit 1, zeros and the length (GB/T 32905-2016 §5.2).
    fn finish(&mut self, first: &[u8], second: &[u8]) {
        self.buffered = if first.len() + second.len() + 9 > BLOCK { 2 } else { 1 };
        self.buffer = [[0; BLOCK]; 2];
        let bytes = self.buffer.as_flattened_mut();
        let (head, rest) = bytes.split_at_mut(first.len());
        head.copy_from_slice(first);
        let (body, rest) = rest.split_at_mut(second.len());
        body.copy_from_slice(second);
        rest.iter_mut().take(1).for_each(|byte| *byte = 0x80);
        if let Some(length) =
            self.buffer.get_mut(self.buffered - 1).and_then(|block| block.last_chunk_mut())
        {
            *length = self.bits.to_be_bytes();
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn fill<'b>(block: &mut [u8; BLOCK], bytes: impl Iterator<Item = &'b u8>) {
    block.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
}

/// Chaining values of all lanes: row r holds register r of each lane.
#[cfg(target_arch = "x86_64")]
#[repr(align(64))]
struct Registers<const LANES: usize>([[u32; LANES]; 8]);

#[cfg(target_arch = "x86_64")]
#[expect(clippy::indexing_slicing, reason = "`lane` comes from enumerating the lanes")]
impl<const LANES: usize> Registers<LANES> {
    fn lane(&self, lane: usize) -> State {
        self.0.each_ref().map(|row| row[lane])
    }

    fn put_lane(&mut self, lane: usize, state: &State) {
        self.0.iter_mut().zip(state).for_each(|(row, word)| row[lane] = *word);
    }
}

/// Fewest messages for which sixteen (or eight) lanes beat one stream after the other; measured.
#[cfg(target_arch = "x86_64")]
const FEWEST: usize = 3;

/// Shuffle that reverses the bytes of each 32-bit word.
#[cfg(target_arch = "x86_64")]
static SWAP: [u8; 16] = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];

#[cfg(test)]
mod tests;
