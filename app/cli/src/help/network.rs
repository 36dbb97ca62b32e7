//! Descriptions of `changbai network` and `changbai node`.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    (
        "network",
        "本机上的整个联盟：建立、启动、停止、查看",
        "a whole consortium on this machine: make it, start it, stop it, look at it",
    ),
    (
        "network init",
        "建立联盟：每个机构的证书机构、密钥、配置和共同的创世区块（默认目录 ./changbai-network）",
        "make a consortium: authorities, keys and settings of each agency, and one genesis block (default directory ./changbai-network)",
    ),
    ("network init/agencies", "机构数", "how many agencies"),
    (
        "network init/validators",
        "其中验证节点数，取前若干个；其余为跟随节点（默认：不超过七个时全部，否则七个）",
        "how many of them validate, the first ones; the others follow (default: all up to seven, else seven)",
    ),
    ("network init/channel", "通道", "the channel's id"),
    (
        "network init/endorsement",
        "背书策略，例如 \"OutOf(2, 'ChangchunNDRC.peer', 'ChangchunHRSS.peer', 'ChangchunDigital.peer')\"（默认：多数机构）",
        "who must endorse, such as \"OutOf(2, 'ChangchunNDRC.peer', 'ChangchunHRSS.peer', 'ChangchunDigital.peer')\" (default: a majority of the agencies)",
    ),
    (
        "network init/host",
        "节点互连和国密 TLS 的地址：一个供全部，或按机构顺序重复给出；明文 HTTP 只在回环地址",
        "address of links and of GM TLS: one for all, or repeated, one for each agency in order; plain HTTP stays on loopback",
    ),
    (
        "network init/port_base",
        "从该端口起，每个节点十个（默认 8080、8443、7050、9443 起，每个节点加 10）；供两个联盟并存",
        "take ports from this one on, ten for each node (default: from 8080, 8443, 7050 and 9443, ten more for each node); for two consortia side by side",
    ),
    (
        "network up",
        "在后台启动节点并等其就绪；已在运行的不动",
        "start the nodes in the background and wait until they are ready; running ones are left alone",
    ),
    ("network up/names", "只启动这些机构的节点", "start only these agencies' nodes"),
    (
        "network down",
        "有序停止节点并等其结束",
        "stop the nodes in order and wait until they have ended",
    ),
    ("network down/names", "只停止这些机构的节点", "stop only these agencies' nodes"),
    (
        "network status",
        "查看每个节点；全部正常运行时退出码为 0",
        "show each node; exit code 0 when all run well",
    ),
    ("network status/json", "以 JSON 输出结果", "print the result as JSON"),
    (
        "node",
        "运行一个节点；核对、导出、导入其账本",
        "run one node; check its ledger, write it out, take one in",
    ),
    (
        "node verify-log",
        "从头到尾核对区块日志：帧、哈希链、交易树根、每块的签名；只读，节点运行时亦可",
        "check the block log front to back: frames, hashes, roots, every block's signatures; reads only, also beside a running node",
    ),
    (
        "node verify-log/channel",
        "通道（默认：存证所在通道）",
        "the channel (default: the one that evidence is recorded on)",
    ),
    (
        "node verify-log/deep",
        "并重新验证每笔交易（状态留在内存中）",
        "validate every transaction again as well (the state is kept in memory)",
    ),
    (
        "node export",
        "把通道导出为一个文件（tar，见 docs/export-format.md）；只读，节点运行时亦可",
        "write a channel to one file (tar, docs/export-format.md); reads only, also beside a running node",
    ),
    ("node export/out", "导出到此文件", "the file to write"),
    (
        "node export/channel",
        "通道（默认：存证所在通道）",
        "the channel (default: the one that evidence is recorded on)",
    ),
    ("node export/first", "第一个区块", "the first block"),
    ("node export/last", "最后一个区块（默认：到末尾）", "the last block (default: to the end)"),
    (
        "node snapshot",
        "为新节点写快照：整个通道的导出文件，用 node import --snapshot 导入",
        "write a snapshot for a new node: an export of the whole channel, to be taken in by node import --snapshot",
    ),
    ("node snapshot/out", "快照文件", "the file to write"),
    (
        "node snapshot/channel",
        "通道（默认：存证所在通道）",
        "the channel (default: the one that evidence is recorded on)",
    ),
    (
        "node import",
        "导入整个通道；节点须已加入该通道、未运行且尚无区块",
        "take a whole channel in; the node has joined it, is down, and holds no block of it",
    ),
    ("node import/file", "导出文件或快照", "an export or a snapshot"),
    (
        "node import/channel",
        "通道（默认：存证所在通道）",
        "the channel (default: the one that evidence is recorded on)",
    ),
    (
        "node import/snapshot",
        "以经验证的区块头所证明的为准，不逐笔重新验证；较快",
        "take what the certified headers prove, without validating every transaction again; faster",
    ),
    (
        "node run",
        "按配置文件运行节点；目录中须已有证书，不会自动建立",
        "run a node by its configuration file; its certificates must be there already, nothing is made",
    ),
    ("node run/config", "配置文件 changbai.toml", "the configuration file changbai.toml"),
    (
        "node run/listen",
        "监听地址，可重复，优先于配置文件",
        "address to listen on; repeatable; above the configuration file",
    ),
    (
        "node run/detached",
        "脱离终端（后台运行）",
        "leave the terminal's session (for the background)",
    ),
    ("node run/attached", "随启动它的命令结束而停止", "stop when the command that started it ends"),
];
