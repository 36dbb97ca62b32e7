//! Every reason to give a reading no bound, or a digest no token, with its stable code, in Chinese and English.
//!
//! Codes are `TM-` and four digits: `10xx` chronyd could not be asked, `20xx` it says that the clock is not good
//! enough, `30xx` this machine saw that it is not, `40xx` there is no time-stamp token. A code keeps its meaning for ever; texts may be improved. `{0}`,
//! `{1}` stand for facts.

/// One reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code, `TM-nnnn`.
    pub code: &'static str,
    /// The sentence in Chinese, with `{0}` … for facts.
    pub zh: &'static str,
    /// The sentence in English, with the same facts.
    pub en: &'static str,
}

/// The whole table, in the order of the codes.
#[must_use]
pub const fn reasons() -> &'static [Reason] {
    ALL
}

macro_rules! table {
    ($($name:ident $code:literal $zh:literal $en:literal)*) => {
        $(pub(crate) const $name: &Reason = &Reason { code: $code, zh: $zh, en: $en };)*
        const ALL: &[Reason] = &[$(*$name,)*];
    };
}

table! {
    NOT_ASKED "TM-1000"
        "尚未取得授时服务 chronyd 的答复。"
        "chronyd has not answered yet."
    UNREACHABLE "TM-1001"
        "无法向授时服务 chronyd 查询：{0}。"
        "chronyd cannot be asked: {0}."
    NO_REPLY "TM-1002"
        "授时服务 chronyd 没有答复。"
        "chronyd does not answer."
    MALFORMED "TM-1003"
        "授时服务的答复不符合 chronyd 命令协议：{0}。"
        "the answer is not of chronyd's command protocol: {0}."
    SEQUENCE "TM-1004"
        "收到的答复序号与请求不符。"
        "the answer is to a request that was never made."
    REPLAYED "TM-1005"
        "收到的是对先前请求的答复（重放）。"
        "the answer is to an earlier request (a replay)."
    STATUS "TM-1006"
        "chronyd 拒绝了查询（状态 {0}）。"
        "chronyd refused the question (status {0})."
    UNSYNCHRONISED "TM-2001"
        "系统时钟未同步到任何时间源。"
        "the clock is not synchronised to any source."
    LOCAL_REFERENCE "TM-2002"
        "系统时钟以自身为参考（local），不可溯源。"
        "the clock is its own reference (local mode), which is traceable to nothing."
    LEAP_ALARM "TM-2003"
        "chronyd 的闰秒状态为“未同步”。"
        "chronyd's leap status says: not synchronised."
    STRATUM "TM-2004"
        "时间层级 {0} 不在 1 至 15 之间。"
        "stratum {0} is not within 1 to 15."
    STALE "TM-2005"
        "距上次与时间源比对已过 {0} 秒，超过上限 {1} 秒。"
        "the clock was last measured {0} s ago; at most {1} s are accepted."
    REFERENCE_AHEAD "TM-2006"
        "上次比对的时刻晚于系统时钟 {0} 秒：时钟被拨回。"
        "the last measurement lies {0} s ahead of the clock: the clock was set back."
    BOUND "TM-2007"
        "时钟误差上界 {0} 微秒，超过上限 {1} 微秒。"
        "the clock may be off by {0} us; at most {1} us are accepted."
    JUMPED "TM-3001"
        "系统时钟跳变 {0} 毫秒，尚未重新校准。"
        "the clock jumped by {0} ms and has not been measured since."
    TOKEN_REFUSED "TM-4001"
        "时间戳机构 {0} 拒绝签发时间戳（{1}）。"
        "the time-stamp authority {0} grants no token ({1})."
    TSA_UNREACHABLE "TM-4002"
        "时间戳机构 {0} 没有可用的答复：{1}。"
        "the time-stamp authority {0} gave no answer: {1}."
    TOKEN_UNTRUSTED "TM-4003"
        "时间戳机构 {0} 的时间戳未通过验证：{1} {2}"
        "the token of the time-stamp authority {0} is refused: {1} {2}"
    TOKEN_TIME "TM-4004"
        "时间戳机构 {0} 所述时间与本机时钟相差 {1} 毫秒，超过上限 {2} 毫秒。"
        "the time stated by the time-stamp authority {0} is {1} ms from this machine's; at most {2} ms are accepted."
    TOKEN_NO_SOURCE "TM-4005"
        "没有时间戳机构签发时间戳：{0}"
        "no time-stamp authority gave a token: {0}"
    TOKEN_RANDOM "TM-4006"
        "系统未提供随机数，无法请求时间戳。"
        "the system gives no randomness, so that no token can be asked for."
}

#[cfg(test)]
mod tests {
    use super::reasons;

    #[test]
    fn codes_are_sorted_and_texts_bilingual_with_the_same_facts() {
        assert!(reasons().windows(2).all(|pair| pair[0].code < pair[1].code));
        for reason in reasons() {
            assert!(!reason.zh.is_ascii() && reason.en.is_ascii(), "{}", reason.code);
            assert_eq!(reason.zh.matches('{').count(), reason.en.matches('{').count());
        }
    }
}
