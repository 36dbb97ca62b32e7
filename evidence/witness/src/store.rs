//! Where notes become durable before their signatures leave.

use std::io;

use changbai_merkle::Note;

/// Keeps notes for good.
pub trait NoteStore {
    /// Makes the note durable; when this returns, a crash does not lose it.
    ///
    /// # Errors
    /// It may be durable or not.
    fn keep(&mut self, note: &Note) -> io::Result<()>;
}

/// Keeps notes as long as the process lives: for tests and examples.
#[derive(Debug, Default)]
pub struct Memory(pub Vec<Note>);

impl NoteStore for Memory {
    fn keep(&mut self, note: &Note) -> io::Result<()> {
        self.0.push(note.clone());
        Ok(())
    }
}
