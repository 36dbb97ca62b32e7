//! No record without a bound of its time's error, where that is asked for.

/// Says why the clock's readings have no bound at the moment.
pub trait TimeGate: Send + Sync {
    /// The reason; `None` while they have one.
    fn refusal(&self) -> Option<TimeRefusal>;
}

/// Why nothing can be recorded now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRefusal {
    /// Stable code of the reason, such as `TM-2007`.
    pub code: &'static str,
    /// The reason, in Chinese.
    pub zh: String,
    /// The reason, in English.
    pub en: String,
}

impl TimeRefusal {
    /// The bound was lost between two looks at the clock.
    pub(super) fn passing() -> Self {
        Self {
            code: crate::codes::TIME_UNBOUNDED.code,
            zh: "时钟误差上界刚刚失效。".to_owned(),
            en: "the bound has just been lost.".to_owned(),
        }
    }
}
