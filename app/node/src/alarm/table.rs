//! Every alarm of a node, in one place. `docs/operations.md` has a section for each, and a test compares the two.

/// How urgent an alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The node or a channel does not do its work, or will soon not do it: wake somebody.
    Critical,
    /// It does, and somebody should look during working hours.
    Warning,
}

impl Severity {
    /// `critical` or `warning`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

/// What the table says of one alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Stable code, `OP-…`; never given to another alarm.
    pub code: &'static str,
    /// How urgent it is.
    pub severity: Severity,
    /// What it means, in Chinese.
    pub zh: &'static str,
    /// What it means.
    pub en: &'static str,
    /// What the operator does first, in Chinese.
    pub action_zh: &'static str,
    /// What the operator does first.
    pub action_en: &'static str,
    /// How long the condition must hold before the alarm is raised, in milliseconds.
    pub after_ms: u64,
}

macro_rules! alarms {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $severity:ident, $after_ms:literal,
       $zh:literal, $en:literal, $action_zh:literal, $action_en:literal;)*) => {
        /// An alarm (告警).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Alarm {
            $($(#[$doc])* $variant,)*
        }

        impl Alarm {
            /// Every alarm.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// What the table says of it.
            #[must_use]
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        code: $code, severity: Severity::$severity, zh: $zh, en: $en,
                        action_zh: $action_zh, action_en: $action_en, after_ms: $after_ms,
                    },)*
                }
            }
        }
    };
}

alarms! {
    /// Ordering has halted in this process.
    OrderingHalted = "OP-1001", Critical, 0,
        "通道排序已停机，本节点不再签名", "ordering has halted; this node signs nothing more",
        "查明原因后重启节点；账本损坏时先备份数据目录", "find the reason, then restart; with damage, copy the data directory first";
    /// The disk is full.
    Suspended = "OP-1002", Critical, 0,
        "磁盘已满，本节点暂停投票，查询照常", "the disk is full; this node does not vote, and still answers reads",
        "释放或扩充磁盘空间，节点自动恢复", "free or add space; the node goes on by itself";
    /// Too few validators are heard.
    QuorumLost = "OP-1003", Critical, 0,
        "在线验证节点不足法定人数，通道无法出块", "fewer validators are heard than decide; the channel makes no blocks",
        "与各机构核对节点与网络，恢复足够的验证节点", "check nodes and network with the other agencies; bring back enough validators";
    /// A validator signed two statements in one place.
    Misbehaviour = "OP-1004", Critical, 0,
        "有验证节点对同一位置签了两份声明", "a validator signed two statements in one place",
        "保存证据，联系该机构，按治理流程更换其密钥或移出", "keep the evidence, call the agency, and re-key or remove its validator";
    /// This node does not keep up with its peers.
    Behind = "OP-1005", Warning, 60_000,
        "本节点落后于其他节点", "this node is behind its peers and does not catch up",
        "检查到其他节点的链路、磁盘与处理器负载", "look at the links to the others, the disk and the load";
    /// The queue of waiting transactions is nearly full.
    Backlog = "OP-1006", Warning, 5_000,
        "待排序交易队列将满，新的提交会被拒绝", "the queue of waiting transactions is nearly full; submissions will be refused",
        "查看通道是否出块；若只是流量过大，请提交方放慢", "see whether blocks are made; if it is load alone, ask submitters to slow down";
    /// The block log was damaged, and blocks are still missing.
    Repairing = "OP-1007", Critical, 0,
        "区块日志损坏，正在从其他节点补回", "the block log was damaged; blocks are being fetched again from peers",
        "勿删数据目录；保持与其他节点的连接直至补齐，并检查磁盘", "leave the data directory alone, keep peers connected until it is complete, check the disk";
    /// The block log was damaged, and is whole again.
    Repaired = "OP-1008", Warning, 0,
        "区块日志曾损坏，已补齐", "the block log was damaged and is whole again",
        "检查磁盘健康，择机更换，然后重启节点以清除告警", "check the disk's health, replace it if need be, then restart to clear the alarm";
    /// A peer of another genesis block was met.
    ForeignGenesis = "OP-1101", Warning, 0,
        "有节点以另一创世区块连接本通道", "a node connects to this channel with another genesis block",
        "核对该节点与本节点的创世区块摘要与通道配置", "compare the genesis digests and the channel configuration of that node and this one";
    /// Links of the configuration are down.
    LinksDown = "OP-1102", Warning, 60_000,
        "到部分节点的链路已断开", "links to nodes of the configuration are down",
        "检查对端节点、防火墙与双方 TLS 证书", "look at the other node, the firewall, and both TLS certificates";
    /// The TLS certificate is not renewed.
    TlsRenewal = "OP-2001", Critical, 0,
        "TLS 证书续期失败，到期后本节点将断开连接", "the TLS certificate is not renewed; when it runs out this node is cut off",
        "检查签发服务可达性与本机时钟，或手工签发", "check that the authority can be reached, and this clock; or issue one by hand";
    /// The ledger identity runs out soon.
    IdentityExpiring = "OP-2002", Warning, 0,
        "账本身份证书将在三十天内到期", "the ledger identity's certificate runs out within thirty days",
        "申请新证书，并在到期前更新通道配置中的验证节点", "request a new certificate, and put it into the channel configuration in time";
    /// The ledger identity has run out.
    IdentityExpired = "OP-2003", Critical, 0,
        "账本身份证书已到期", "the ledger identity's certificate has run out",
        "立即签发新证书并更新通道配置", "issue a new certificate now, and put it into the channel configuration";
    /// The wall clock jumped.
    ClockJumped = "OP-3001", Warning, 0,
        "系统时钟发生跳变", "the wall clock jumped",
        "检查授时服务；时钟不准时其他节点会拒绝本节点的区块", "check time synchronisation; peers refuse blocks whose time is off";
    /// The clock's error has no bound.
    ClockUnbounded = "OP-3002", Critical, 0,
        "时钟误差未知或过大，暂停受理存证，查询照常", "the clock's error is unknown or too large",
        "运行 changbai time check 查看原因，检查 chronyd 及其时间源", "run changbai time check for the reason; look at chronyd and its sources";
    /// Nobody gives time-stamp tokens.
    TokensMissing = "OP-3003", Warning, 0,
        "无法取得时间戳令牌，新的检查点暂无时间戳", "no time-stamp authority gives tokens; what is recorded has none for now",
        "查看 detail 中各机构的原因；检查网络、根证书与本机时钟", "detail has each authority's reason; look at the network, their roots and this clock";
    /// The disk will be full soon.
    DiskLow = "OP-4001", Warning, 0,
        "磁盘剩余空间不足", "little space is left on the disk",
        "在节点暂停投票之前释放或扩充磁盘空间", "free or add space before the node stops voting";
    /// No checkpoint of a log is issued.
    CheckpointRefused = "OP-5001", Critical, 0,
        "日志检查点无法签发，账本可能被回退或改写", "checkpoints of the log are refused; the ledger may have been set back or rewritten",
        "停止写入，核对本节点账本与其他机构的账本，勿删 checkpoints.log", "stop writing, compare this ledger with the other agencies', keep checkpoints.log";
    /// Witnesses or the time-stamp authority are missing.
    CheckpointIncomplete = "OP-5002", Warning, 600_000,
        "检查点缺少见证人联署或时间戳", "checkpoints lack cosignatures of witnesses, or a time-stamp token",
        "联系见证人，检查其地址与网络，或检查时间戳服务", "call the witness, look at its address and the network, or at the time-stamp authority";
    /// Originals are damaged or missing.
    OriginalsLost = "OP-6001", Critical, 0,
        "保管的原件损坏或缺失", "originals in custody are damaged or missing",
        "运行 changbai custody audit 查看是哪些；从备份恢复，或请提交方重新提交同一原件", "run changbai custody audit for which; restore them, or have the same originals submitted again";
    /// Originals of no record.
    OriginalsUnrecorded = "OP-6002", Warning, 0,
        "有原件未对应任何存证记录", "originals in custody belong to no record",
        "运行 changbai custody audit --unrecorded 查看；期满后可删除", "look at them with changbai custody audit --unrecorded; they may be removed after their time";
    /// The store of originals does not work.
    CustodyStore = "OP-6003", Critical, 60_000,
        "原件存储不可用，新原件无法受理", "the store of originals does not work; none are taken in or handed out",
        "检查存储服务、网络与访问凭据", "look at the storage service, the network and the credentials";
    /// The audit is late.
    AuditOverdue = "OP-6004", Warning, 0,
        "保管审计逾期未完成", "the custody audit is late",
        "查看节点日志；提高 custody.audit_bytes_per_s 或延长周期", "look at the log; raise custody.audit_bytes_per_s, or audit less often";
}
