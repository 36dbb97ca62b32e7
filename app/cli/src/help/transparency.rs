//! Descriptions of `changbai witness` and `changbai monitor`.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    (
        "witness",
        "见证人：核对账本日志只增不改，并为检查点联署（法院、公证处等运行）",
        "be a witness: check that a ledger's log only grows, and cosign its checkpoints (for courts, notaries, agencies)",
    ),
    (
        "witness key",
        "显示见证人的公钥；首次运行时生成密钥和 witness.toml",
        "print the witness's key; the first call makes the key and witness.toml",
    ),
    (
        "witness key/name",
        "见证人名称（首次运行时必需），例如 court.example.cn",
        "name of the witness, needed at the first call, such as court.example.cn",
    ),
    ("witness run", "运行见证人服务", "run the witness"),
    (
        "witness run/listen",
        "监听地址，可重复；默认用 witness.toml 中的地址",
        "address to listen on, repeatable; by default those of witness.toml",
    ),
    (
        "monitor",
        "监测：比对各节点和见证人展示的日志，发现分叉或回退即告警（退出码 1）",
        "compare what nodes and witnesses show of a log; a split view or a rollback is an alarm (exit code 1)",
    ),
    ("monitor/nodes", "节点地址，可重复", "address of a node, repeatable"),
    ("monitor/witnesses", "见证人地址，可重复", "address of a witness, repeatable"),
    ("monitor/channel", "通道", "the channel"),
    (
        "monitor/trust",
        "载明该通道的信任文件：凭证书认定日志公钥",
        "trust file that names the channel: keys of the log are believed by their certificates",
    ),
    (
        "monitor/keys",
        "日志公钥（名称+编号+公钥），可重复",
        "key of the log (name+id+key), repeatable",
    ),
    (
        "monitor/tls_roots",
        "gmtls:// 服务器的根证书文件，可重复",
        "root certificates of gmtls:// servers, repeatable",
    ),
    (
        "monitor/every",
        "每隔多少秒看一次，直到告警；不给则只看一次",
        "look every so many seconds until there is an alarm; without it, once",
    ),
    (
        "monitor/check",
        "核验一个证据文件是否证明日志出示过两个不同的历史（配合 --key）",
        "judge whether a file convicts a log of two histories (with --key)",
    ),
    ("monitor/json", "输出 JSON", "print JSON"),
];
