//! Descriptions of `changbai channel`.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    ("channel", "通道：查看、加入、配置更新", "channels: look at them, join them, change them"),
    ("channel list", "列出节点的通道", "list the node's channels"),
    ("channel list/json", "以 JSON 输出结果", "print the result as JSON"),
    (
        "channel info",
        "查看一个通道（节点只有一个通道时可省略名称）",
        "show one channel (its id may be left out where the node has one)",
    ),
    ("channel info/id", "通道", "the channel's id"),
    (
        "channel info/config",
        "把现行配置写成可读文件，证书放在其旁的目录中",
        "write the configuration in force to a readable file, its certificates to a folder beside it",
    ),
    ("channel info/json", "以 JSON 输出结果", "print the result as JSON"),
    (
        "channel join",
        "以创世区块加入通道；节点停止或运行时均可",
        "join a channel by its genesis block; while the node is down or runs",
    ),
    ("channel join/genesis", "创世区块", "the genesis block"),
    (
        "channel genesis",
        "由可读的配置文件生成创世区块",
        "make a genesis block from a readable configuration file",
    ),
    (
        "channel genesis/config",
        "通道配置（TOML；证书路径相对于该文件）",
        "the channel's configuration (TOML; paths of certificates are relative to it)",
    ),
    ("channel genesis/out", "写到该文件", "write it to this file"),
    (
        "channel update",
        "更新通道配置：比较、逐个机构签名、提交",
        "change a channel's configuration: compare, sign one agency after the other, submit",
    ),
    ("channel update/id", "通道", "the channel's id"),
    (
        "channel update/config",
        "改好的可读配置文件（由 channel info --config 得来）",
        "the readable configuration as it shall be (from channel info --config)",
    ),
    (
        "channel update/input",
        "别的机构交来的更新文件，含已有签名",
        "an update with its signatures, as another agency handed it on",
    ),
    (
        "channel update/sign_with",
        "以该数据目录中的管理员身份签名，可重复",
        "sign as the administrator of this data directory; repeatable",
    ),
    (
        "channel update/out",
        "把更新和签名写到该文件，交给下一个机构",
        "write update and signatures to this file, for the next agency",
    ),
    (
        "channel update/submit",
        "由本节点的管理员提交，等到写入账本",
        "submit it as this node's administrator, and wait until it is on the ledger",
    ),
    ("channel update/json", "以 JSON 输出结果", "print the result as JSON"),
];
