//! Descriptions of commands and arguments in both languages, laid over clap's command tree.

mod channel;
mod court;
mod custody;
mod network;
mod pki;
mod seal;
mod transparency;

use clap::{Command, builder::StyledStr, error::ErrorKind};

use crate::lang::Lang;

/// One description: `(place, Chinese, English)`. A place is a command path (`evidence submit`) or a command path,
/// a slash and an argument id (`evidence submit/business`).
type Entry = (&'static str, &'static str, &'static str);

const ENTRIES: &[Entry] = &[
    (
        "",
        "长白链：国密联盟账本与电子数据存证",
        "Changbai: a GM consortium ledger for evidence preservation",
    ),
    (
        "/dir",
        "节点的数据目录，默认 ./changbai-data；整个联盟的目录，默认 ./changbai-network",
        "data directory of the node, by default ./changbai-data; of a whole consortium, by default ./changbai-network",
    ),
    (
        "/lang",
        "消息语言：zh 或 en（默认按系统区域设置，否则中文）",
        "language of messages: zh or en (default: the locale, else Chinese)",
    ),
    (
        "up",
        "启动节点；首次启动时建立密钥、证书和账本",
        "start a node; the first start creates keys, certificates and the ledger",
    ),
    (
        "up/listen",
        "监听地址，可重复（默认 http://127.0.0.1:8080 和 gmtls://127.0.0.1:8443；gmtls 为国密 TLS）",
        "address to listen on; repeatable (default http://127.0.0.1:8080 and gmtls://127.0.0.1:8443, which speaks GM TLS)",
    ),
    (
        "up/agencies",
        "在前台运行有这么多机构的联盟；需要时先建立",
        "run a consortium of so many agencies in the foreground; made first where there is none",
    ),
    ("evidence", "提交和查询存证", "submit and look up evidence"),
    (
        "evidence submit",
        "提交原件（或只提交摘要），得到存证编号",
        "submit originals (or only their digests) and get an evidence id",
    ),
    (
        "evidence submit/files",
        "原件；多个文件成为同一条记录的多个原件",
        "originals; several files become the originals of one record",
    ),
    (
        "evidence submit/business",
        "业务类型：general 通用、real_estate_registration 不动产登记、administrative_penalty 行政处罚、public_resource_trading 公共资源交易",
        "business type: general, real_estate_registration, administrative_penalty, public_resource_trading",
    ),
    (
        "evidence submit/fields",
        "业务字段，可重复；名称可用中文",
        "a field of the business type; repeatable; names may be Chinese",
    ),
    (
        "evidence submit/digest_only",
        "原件留在提交者处，只提交摘要",
        "keep the originals here and submit only their digests",
    ),
    (
        "evidence submit/bundle",
        "提交后把证据包（含原件）存为该文件",
        "afterwards save the bundle, with the originals, to this file",
    ),
    (
        "evidence submit/previous",
        "本记录所更新的上一版本的存证编号",
        "evidence id of the version that this record replaces",
    ),
    ("evidence submit/json", "以 JSON 输出结果", "print the result as JSON"),
    (
        "evidence batch",
        "把多个文件的摘要（最多 10 万个）作为一批存证，每个文件各有凭据",
        "record the digests of many files (up to 100,000) as one batch, each with a proof of its own",
    ),
    (
        "evidence batch/files",
        "文件；只提交摘要，文件留在本地",
        "files; only their digests are sent",
    ),
    (
        "evidence batch/ndjson",
        "每行一个摘要的文件：{\"sm3\":…,\"size_bytes\":…,\"media_type\":…,\"ref\":…}",
        "a file with a digest a line: {\"sm3\":…,\"size_bytes\":…,\"media_type\":…,\"ref\":…}",
    ),
    ("evidence batch/business", "业务类型", "business type"),
    ("evidence batch/fields", "字段，可重复", "a field; may be repeated"),
    (
        "evidence batch/out",
        "把每个文件的证据包写入此目录",
        "write a bundle for each file into this directory",
    ),
    ("evidence batch/json", "以 JSON 输出结果", "print the result as JSON"),
    ("evidence get", "查看一条记录", "show one record"),
    ("evidence get/id", "存证编号", "evidence id"),
    ("evidence get/json", "以 JSON 输出结果", "print the result as JSON"),
    (
        "evidence list",
        "列出记录，可按摘要、业务类型和时间筛选",
        "list records by digest, business type and time",
    ),
    (
        "evidence list/sm3",
        "含有该 SM3 摘要的原件的记录",
        "records with an original of this SM3 digest",
    ),
    (
        "evidence list/file",
        "含有该文件的记录（本地计算摘要）",
        "records with this file as an original (hashed here)",
    ),
    ("evidence list/business", "业务类型", "business type"),
    (
        "evidence list/from",
        "从这一天起（年-月-日，北京时间）",
        "from this day on (yyyy-mm-dd, UTC+8)",
    ),
    (
        "evidence list/to",
        "到这一天为止，含当天（年-月-日，北京时间）",
        "up to and including this day (yyyy-mm-dd, UTC+8)",
    ),
    ("evidence list/limit", "每页条数（1–200）", "records a page (1–200)"),
    ("evidence list/cursor", "上一页给出的续查位置", "where the previous page ended"),
    ("evidence list/json", "以 JSON 输出结果", "print the result as JSON"),
    (
        "evidence bundle",
        "取回证据包，可离线核验",
        "fetch the bundle of a record, for offline verification",
    ),
    ("evidence bundle/id", "存证编号", "evidence id"),
    (
        "evidence bundle/out",
        "保存为该文件（默认：存证编号.zip）",
        "save it to this file (default: ID.zip)",
    ),
    ("evidence bundle/no_originals", "证据包中不含原件", "leave the originals out of the bundle"),
    ("evidence bundle/json", "以 JSON 输出结果", "print the result as JSON"),
    ("evidence certificate", "取回存证证书，可打印", "fetch the certificate of a record, to print"),
    ("evidence certificate/id", "存证编号", "evidence id"),
    ("evidence certificate/format", "格式：pdf、ofd 或 svg", "format: pdf, ofd or svg"),
    (
        "evidence certificate/out",
        "保存为该文件（默认：存证编号.格式）",
        "save it to this file (default: ID.FORMAT)",
    ),
    ("evidence certificate/json", "以 JSON 输出结果", "print the result as JSON"),
    (
        "verify",
        "离线核验证据包、存证证书（PDF、OFD）或签名的核验意见；退出码：0 通过，1 不通过，2 未能核验",
        "verify a bundle, a certificate (PDF, OFD) or a signed verdict offline; exit code: 0 verified, 1 not verified, 2 could not be checked",
    ),
    (
        "verify/bundle",
        "证据包（ZIP）、存证证书（PDF、OFD）或核验意见（JSON）",
        "the bundle (ZIP), certificate (PDF, OFD) or signed verdict (JSON)",
    ),
    (
        "verify/originals",
        "手上的原件，与记录逐一比对",
        "originals at hand, compared with the record",
    ),
    (
        "verify/trust",
        "信任文件（通道与根证书，PEM），例如 数据目录/trust.pem；不给则无法得出“通过”",
        "the trust file (channels, and roots in PEM), for example DIR/trust.pem; without it nothing is \"verified\"",
    ),
    ("verify/json", "以 JSON 输出结果", "print the result as JSON"),
    ("sm3", "计算文件的 SM3 摘要", "print the SM3 digests of files"),
    ("sm3/files", "文件；- 表示标准输入", "files; - is standard input"),
    ("health", "查看节点状态和密码自检", "show the node's health and cryptographic self-tests"),
    ("time", "时间：时钟误差与授时状态", "time: how far this clock may be off"),
    (
        "time check",
        "向 chronyd 查询时钟误差上界；退出码：0 可用，1 不可用，2 无法查询",
        "ask chronyd for the bound of the clock's error; exit code: 0 acceptable, 1 refused, 2 could not be checked",
    ),
    (
        "time check/chrony",
        "chronyd 的命令端口或 Unix 套接字（默认取节点设置，否则 127.0.0.1:323）",
        "chronyd's command port or Unix socket (default: the node's setting, else 127.0.0.1:323)",
    ),
    (
        "time check/tsa",
        "同时向这个时间戳机构取一枚时间戳并验证：http://、gmtls:// 或 tlcp:// 地址",
        "also fetch a time stamp from this authority and verify it: an address with http://, gmtls:// or tlcp://",
    ),
    ("time check/trust", TSA_TRUST.0, TSA_TRUST.1),
    ("time check/tls_trust", TLS_TRUST.0, TLS_TRUST.1),
    ("time check/policy", TSA_POLICY.0, TSA_POLICY.1),
    (
        "time stamp",
        "请时间戳机构为文件签发时间戳（RFC 3161，SM2/SM3）并验证",
        "have a file stamped by a time-stamp authority (RFC 3161, SM2 with SM3), and verify what comes back",
    ),
    ("time stamp/file", "文件；- 表示标准输入", "the file; - is standard input"),
    (
        "time stamp/tsa",
        "时间戳机构的地址：http://、gmtls:// 或 tlcp://，例如 http://127.0.0.1:8080/tsa",
        "the authority's address: http://, gmtls:// or tlcp://, for example http://127.0.0.1:8080/tsa",
    ),
    ("time stamp/trust", TSA_TRUST.0, TSA_TRUST.1),
    ("time stamp/tls_trust", TLS_TRUST.0, TLS_TRUST.1),
    ("time stamp/policy", TSA_POLICY.0, TSA_POLICY.1),
    (
        "time stamp/out",
        "时间戳（TimeStampResp，DER）写到这个文件",
        "write the time stamp (TimeStampResp, DER) there",
    ),
    ("time stamp/json", "以 JSON 输出结果", "print the result as JSON"),
    (
        "time verify",
        "离线验证文件的时间戳；退出码：0 有效，1 无效",
        "verify a file's time stamp offline; exit code: 0 valid, 1 not",
    ),
    ("time verify/file", "文件；- 表示标准输入", "the file; - is standard input"),
    (
        "time verify/token",
        "时间戳（TimeStampResp 或令牌，DER）",
        "the time stamp (TimeStampResp or bare token, DER)",
    ),
    ("time verify/trust", TSA_TRUST.0, TSA_TRUST.1),
    ("time verify/json", "以 JSON 输出结果", "print the result as JSON"),
    ("time check/json", "以 JSON 输出结果", "print the result as JSON"),
    ("health/json", "以 JSON 输出结果", "print the result as JSON"),
];

/// What three commands say of the same options.
const TSA_TRUST: (&str, &str) = (
    "时间戳机构的根证书：信任文件或 PEM（默认 数据目录/trust.pem）",
    "roots of the time-stamp authority: a trust file, or PEM (default: DIR/trust.pem)",
);
const TLS_TRUST: (&str, &str) =
    ("国密 TLS 连接的根证书（默认同上）", "roots of the GM TLS connection (default: the same)");
const TSA_POLICY: (&str, &str) =
    ("要求的时间戳策略（OID）", "the policy (OID) to ask for, and to insist on");
const TEMPLATE_ZH: &str = "{about-with-newline}\n用法：{usage}\n\n{all-args}";
const TEMPLATE_EN: &str = "{about-with-newline}\nUsage: {usage}\n\n{all-args}";

/// Lays the descriptions in `lang` over `command` and its subcommands.
pub(crate) fn describe(command: Command, lang: Lang) -> Command {
    describe_at(command, "", lang)
}

fn describe_at(command: Command, path: &str, lang: Lang) -> Command {
    let (template, commands, arguments, options, help, version) = match lang {
        Lang::Zh => (TEMPLATE_ZH, "命令", "参数", "选项", "显示帮助", "显示版本"),
        Lang::En => {
            (TEMPLATE_EN, "Commands", "Arguments", "Options", "print help", "print the version")
        }
    };
    let mut command = command
        .help_template(template)
        .subcommand_help_heading(commands)
        .disable_help_flag(true)
        .arg(
            clap::Arg::new("help").short('h').long("help").action(clap::ArgAction::Help).help(help),
        );
    if path.is_empty() {
        let flag = clap::Arg::new("version").short('V').long("version");
        command = command
            .disable_version_flag(true)
            .arg(flag.action(clap::ArgAction::Version).help(version));
    }
    if let Some(about) = lookup(path, lang) {
        command = command.about(about);
    }
    command = command.mut_args(|arg| {
        let heading = if arg.is_positional() { arguments } else { options };
        let place = format!("{path}/{}", arg.get_id());
        let arg = arg.help_heading(heading);
        match lookup(&place, lang) {
            Some(text) => arg.help(StyledStr::from(text)),
            None => arg,
        }
    });
    command.mut_subcommands(|sub| {
        let below = if path.is_empty() {
            sub.get_name().to_owned()
        } else {
            format!("{path} {}", sub.get_name())
        };
        describe_at(sub, &below, lang)
    })
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    let groups = [
        ENTRIES,
        custody::ENTRIES,
        pki::ENTRIES,
        seal::ENTRIES,
        network::ENTRIES,
        channel::ENTRIES,
        court::ENTRIES,
        transparency::ENTRIES,
    ];
    groups.into_iter().flatten()
}

fn lookup(place: &str, lang: Lang) -> Option<&'static str> {
    entries().find(|(known, _, _)| *known == place).map(|(_, zh, en)| match lang {
        Lang::Zh => *zh,
        Lang::En => *en,
    })
}

/// What went wrong with a command line, in one Chinese sentence; clap's own English text stands below it.
pub(crate) fn usage_error_zh(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::UnknownArgument => "错误：有不认识的参数",
        ErrorKind::InvalidSubcommand => "错误：没有这个命令",
        ErrorKind::MissingRequiredArgument => "错误：缺少必需的参数",
        ErrorKind::MissingSubcommand => "错误：缺少命令",
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => "错误：参数的值不对",
        ErrorKind::TooManyValues => "错误：参数的值太多",
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
            "错误：参数的值的个数不对"
        }
        ErrorKind::ArgumentConflict => "错误：有参数互相冲突",
        ErrorKind::InvalidUtf8 => "错误：参数不是 UTF-8 文字",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(command: &Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for arg in command.get_arguments() {
            found.push(format!("{path}/{}", arg.get_id()));
        }
        for sub in command.get_subcommands() {
            let below = format!("{path} {}", sub.get_name());
            places(sub, below.trim_start(), found);
        }
    }

    #[test]
    fn every_command_and_argument_is_described_and_nothing_else() {
        let mut found = Vec::new();
        places(&<crate::args::Cli as clap::CommandFactory>::command(), "", &mut found);
        for place in &found {
            assert!(lookup(place, Lang::Zh).is_some(), "no description for {place:?}");
        }
        for (place, zh, en) in entries() {
            assert!(found.iter().any(|known| known == place), "{place:?} does not exist");
            assert!(zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{place}");
            assert!(!en.is_empty(), "{place}");
        }
    }

    #[test]
    fn help_is_in_the_language_asked_for() {
        let mut zh = describe(<crate::args::Cli as clap::CommandFactory>::command(), Lang::Zh);
        let mut en = describe(<crate::args::Cli as clap::CommandFactory>::command(), Lang::En);
        let (zh, en) = (zh.render_help().to_string(), en.render_help().to_string());
        assert!(
            zh.contains("离线核验证据包") && zh.contains("用法：") && zh.contains("命令"),
            "{zh}"
        );
        assert!(en.contains("verify a bundle, a certificate") && en.contains("Usage:"), "{en}");
        assert!(!zh.contains("Usage:"), "{zh}");
    }
}
