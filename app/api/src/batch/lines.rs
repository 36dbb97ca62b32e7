//! The body of `POST /evidence:batch`: newline-delimited JSON, one digest a line, read in constant memory per line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

use changbai_core::limits::BATCH_DIGESTS_MAX;
use changbai_core::{BatchLeaf, ErrorCode, canonical, codes};
use serde::Deserialize;
use smkit::sm3::Sm3Digest;

use crate::domain::of_code;
use crate::limits::{BATCH_FAULTS_MAX, BATCH_LINE_BYTES_MAX, STREAM_CHUNK_BYTES};
use crate::problem::{Code, Problem};
use crate::submission::{Metadata, MetadataBody, json};

/// What a body holds.
#[derive(Debug, Default)]
pub struct Lines {
    /// What the first line says about the whole batch; the usual if it says nothing.
    pub metadata: Metadata,
    /// Digests, faulty lines not counted.
    pub digests: usize,
    /// The first faults, in order.
    pub faults: Vec<LineFault>,
    /// Lines with a fault, listed or not.
    pub faulty: u64,
}

/// Why one line cannot be recorded. Never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// From 1.
    pub line: u64,
    /// The stable code.
    pub code: ErrorCode,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
}

/// Reads a whole body and hands each digest to `keep`: an entry point for fuzzing.
///
/// The first line may be `{"batch": {…}}` with what a submission says besides its originals. Every other line is
/// `{"sm3": …}` with, if wanted, `size_bytes`, `media_type` and `ref`. The last line may lack its newline.
///
/// # Errors
/// A problem of the whole body: its source failed, it has more digests than a batch may have (nothing after the first
/// one too many is read), or none, or its first line is a `batch` that is not acceptable. Faults of lines are no error
/// here: they are in the answer.
pub fn parse_batch(
    source: impl Read,
    keep: &mut dyn FnMut(&BatchLeaf) -> io::Result<()>,
) -> Result<Lines, Problem> {
    let mut reader = Reader::new(source);
    let mut lines = Lines::default();
    let mut seen: HashMap<Sm3Digest, u64> = HashMap::new();
    while let Some((number, line)) = reader.next().map_err(|error| broken(&error))? {
        let Line::Whole(bytes) = line else {
            lines.fault(too_long(number));
            lines.bounded()?;
            continue;
        };
        if number == 1 && bytes.starts_with(HEAD) {
            lines.metadata = json::<HeadBody>(bytes)?.batch.checked()?;
            continue;
        }
        let leaf = match leaf(bytes, number) {
            Ok(leaf) => leaf,
            Err(fault) => {
                lines.fault(fault);
                lines.bounded()?;
                continue;
            }
        };
        if let Some(first) = seen.get(&leaf.sm3) {
            lines.fault(twice(number, *first));
            lines.bounded()?;
            continue;
        }
        lines.digests = lines.digests.saturating_add(1);
        lines.bounded()?;
        seen.insert(leaf.sm3, number);
        keep(&leaf).map_err(|error| broken(&error))?;
    }
    if lines.digests == 0 && lines.faulty == 0 {
        return Err(of_code(&codes::BATCH_EMPTY));
    }
    Ok(lines)
}

impl Lines {
    fn fault(&mut self, fault: LineFault) {
        self.faulty = self.faulty.saturating_add(1);
        if self.faults.len() < BATCH_FAULTS_MAX {
            self.faults.push(fault);
        }
    }

    /// Refuses the body once it has more lines than a batch has digests, whatever they hold.
    fn bounded(&self) -> Result<(), Problem> {
        let lines = self.faulty.saturating_add(self.digests as u64);
        if lines <= BATCH_DIGESTS_MAX as u64 {
            return Ok(());
        }
        Err(of_code(&codes::BATCH_TOO_LARGE).detail(
            format!("每批最多 {BATCH_DIGESTS_MAX} 个摘要，其后的内容未读取"),
            format!("a batch has at most {BATCH_DIGESTS_MAX} digests; nothing after them was read"),
        ))
    }

    /// The problem of a body with faulty lines; `None` if there is none.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        if self.faulty == 0 {
            return None;
        }
        let listed = self.faults.len();
        let problem = of_code(&codes::BATCH_LINES).detail(
            format!("共 {} 行有误，列出前 {listed} 行", self.faulty),
            format!("{} line(s) are wrong; the first {listed} are listed", self.faulty),
        );
        Some(self.faults.iter().fold(problem, |problem, fault| {
            problem.at_line(fault.line, fault.code.code, &fault.zh, &fault.en)
        }))
    }
}

/// One digest as it stands in a line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineBody<'a> {
    #[serde(borrow)]
    sm3: Cow<'a, str>,
    #[serde(default)]
    size_bytes: Option<u64>,
    #[serde(default, borrow)]
    media_type: Option<Cow<'a, str>>,
    #[serde(default, borrow, rename = "ref")]
    reference: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadBody {
    batch: MetadataBody,
}

fn leaf(bytes: &[u8], line: u64) -> Result<BatchLeaf, LineFault> {
    let body: LineBody<'_> = serde_json::from_slice(bytes).map_err(|error| {
        let column = error.column();
        let (zh, en) = match error.classify() {
            serde_json::error::Category::Data => (
                "成员未知、缺失、重复或类型不符",
                "a member is unknown, missing, repeated or of the wrong type",
            ),
            _ => ("不是一个 JSON 对象", "this is not one JSON object"),
        };
        LineFault {
            line,
            code: codes::BATCH_LINE,
            zh: format!("{zh}（第 {column} 列）"),
            en: format!("{en}, at column {column}"),
        }
    })?;
    let sm3 = canonical::digest(&body.sm3).ok_or_else(|| LineFault {
        line,
        code: codes::DIGEST,
        zh: "须为 64 位小写十六进制数字".to_owned(),
        en: "64 lower-case hexadecimal digits are needed".to_owned(),
    })?;
    let leaf = BatchLeaf {
        sm3,
        size_bytes: body.size_bytes,
        media_type: body.media_type.map(Cow::into_owned),
        reference: body.reference.map(Cow::into_owned),
    };
    match leaf.check() {
        Ok(()) => Ok(leaf),
        Err(error) => {
            let code = error.code();
            Err(LineFault { line, code, zh: code.zh.to_owned(), en: error.to_string() })
        }
    }
}

fn too_long(line: u64) -> LineFault {
    LineFault {
        line,
        code: codes::BATCH_LINE_TOO_LONG,
        zh: format!("一行最多 {BATCH_LINE_BYTES_MAX} 字节"),
        en: format!("a line has at most {BATCH_LINE_BYTES_MAX} bytes"),
    }
}

fn twice(line: u64, first: u64) -> LineFault {
    LineFault {
        line,
        code: codes::BATCH_DIGEST_TWICE,
        zh: format!("与第 {first} 行的摘要相同"),
        en: format!("the digest of line {first} again"),
    }
}

fn broken(error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::ConnectionAborted {
        return Problem::new(Code::Malformed).detail("正文传输中断", "the body broke off");
    }
    crate::domain::of_failure(&codes::STORE, error)
}

/// Lines of a source, one at a time, none longer than a line may be.
struct Reader<R> {
    source: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

enum Line<'a> {
    /// Without its newline.
    Whole(&'a [u8]),
    TooLong,
}

impl<R: Read> Reader<R> {
    fn new(source: R) -> Self {
        let source = BufReader::with_capacity(STREAM_CHUNK_BYTES, source);
        Self { source, line: Vec::new(), number: 0 }
    }

    fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        self.line.clear();
        // The head may be longer than a digest's line: fields of the business type stand in it.
        let max =
            if self.number == 0 { crate::limits::METADATA_BYTES_MAX } else { BATCH_LINE_BYTES_MAX };
        let room = (max as u64).saturating_add(1);
        let read = (&mut self.source).take(room).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        let ended = self.line.last() == Some(&b'\n');
        if ended {
            self.line.pop();
        } else if self.line.len() > max {
            self.source.skip_until(b'\n')?;
            return Ok(Some((self.number, Line::TooLong)));
        }
        let digest = self.number > 1 || !self.line.starts_with(HEAD);
        if digest && self.line.len() > BATCH_LINE_BYTES_MAX {
            return Ok(Some((self.number, Line::TooLong)));
        }
        Ok(Some((self.number, Line::Whole(&self.line))))
    }
}

/// How a first line begins that speaks of the whole batch.
const HEAD: &[u8] = b"{\"batch\":";
