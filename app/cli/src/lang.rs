//! The language of messages.

use std::ffi::{OsStr, OsString};

/// The languages messages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Lang {
    /// 中文, the default.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The value of `Accept-Language`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

/// The language for this command line: `--lang` if it is there, else the locale, else Chinese. Looked up before
/// the arguments are parsed because help and usage errors are translated as well.
pub(crate) fn choose(args: &[OsString], locale: impl Fn(&str) -> Option<OsString>) -> Lang {
    from_args(args).unwrap_or_else(|| from_locale(locale))
}

fn from_args(args: &[OsString]) -> Option<Lang> {
    let mut args = args.iter().skip(1).map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        let value = match arg.strip_prefix("--lang") {
            _ if arg == "--" => return None,
            Some("") => args.next()?.into_owned(),
            Some(rest) => rest.strip_prefix('=')?.to_owned(),
            None => continue,
        };
        return match value.as_str() {
            "en" => Some(Lang::En),
            "zh" => Some(Lang::Zh),
            _ => None,
        };
    }
    None
}

fn from_locale(locale: impl Fn(&str) -> Option<OsString>) -> Lang {
    // POSIX: LC_ALL, when set and not empty, stands above LANG.
    let value =
        ["LC_ALL", "LANG"].iter().filter_map(|name| locale(name)).find(|value| !value.is_empty());
    let english = value.as_deref().map(OsStr::to_string_lossy).is_some_and(|v| v.starts_with("en"));
    if english { Lang::En } else { Lang::Zh }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(args: &[&str], env: &[(&str, &str)]) -> Lang {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        choose(&args, |name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn flag_beats_locale_and_chinese_is_the_default() {
        assert_eq!(chosen(&["changbai"], &[]), Lang::Zh);
        assert_eq!(chosen(&["changbai"], &[("LANG", "en_GB.UTF-8")]), Lang::En);
        assert_eq!(chosen(&["changbai"], &[("LANG", "C.UTF-8")]), Lang::Zh);
        assert_eq!(chosen(&["changbai"], &[("LC_ALL", ""), ("LANG", "en")]), Lang::En);
        assert_eq!(chosen(&["changbai"], &[("LC_ALL", "zh_CN"), ("LANG", "en")]), Lang::Zh);
        assert_eq!(chosen(&["changbai", "--lang", "zh", "up"], &[("LANG", "en")]), Lang::Zh);
        assert_eq!(chosen(&["changbai", "up", "--lang=en"], &[]), Lang::En);
        assert_eq!(chosen(&["changbai", "sm3", "--", "--lang=en"], &[]), Lang::Zh);
    }
}
