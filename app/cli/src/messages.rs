//! The message catalogue: every sentence a person reads, in Chinese and English, side by side.
//!
//! `{name}` marks a value; both languages use the same values (a test compares them).

use crate::lang::Lang;

/// Defines the catalogue: a key, its Chinese text, its English text.
macro_rules! catalogue {
    ($($key:ident: $zh:literal, $en:literal;)+) => {
        /// A message; [`text`] gives its wording.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Message { $($key,)+ }

        impl Message {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$key,)+];

            /// The template in `lang`.
            pub(crate) fn template(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$key, Lang::Zh) => $zh, (Self::$key, Lang::En) => $en,)+
                }
            }
        }
    };
}

catalogue! {
    // Originals in custody
    CustodyAsked: "已请正在运行的节点立即审计；稍后再运行 changbai custody audit 查看结果",
        "the running node was asked for an audit; run changbai custody audit in a while";
    CustodyNever: "尚未", "never";
    CustodyAudited: "上次审计完成", "last audit ended";
    CustodyAuditing: "正在审计，始于", "audit under way since";
    CustodyIntact: "完好", "intact";
    CustodyDamaged: "损坏", "damaged";
    CustodyMissing: "缺失", "missing";
    CustodyErased: "已清除", "erased";
    CustodyUnrecorded: "无存证记录", "of no record";
    CustodyLost: "损坏或缺失的原件", "damaged or missing";
    CustodyUnheld: "记录在案而原件不在", "recorded and not held";
    CustodyIsDamaged: "损坏：{sm3}，位于 {place}，偏移 {offset}", "damaged: {sm3} at {place}, offset {offset}";
    CustodyIsMissing: "缺失：{sm3}，应位于 {place}{offset}", "missing: {sm3}, which should be at {place}{offset}";
    CustodySize: "大小（字节）", "size in bytes";
    CustodyPlace: "位置", "place";
    CustodyRecord: "存证编号", "evidence id";
    CustodyUntil: "保存至", "kept until";
    CustodyRecipient: "可解封者", "can be opened by";
    CustodyDone: "完成：{sm3}", "done: {sm3}";
    CustodyNone: "没有这样的原件在保管中：{given}", "no such original is in custody: {given}";
    CustodyNoDate: "“{given}”不是 yyyy-mm-dd 形式的日期", "{given} is not a date yyyy-mm-dd";
    CustodyLocked: "保存期限未满，须保存至 {until}", "it must be kept until {until}";
    NextCustodyLocked: "期满后再试（{until}）；依命令清除请用 erase --by-order", "try after {until}; to erase it by order, use erase --by-order";
    CustodyRefused: "保管操作失败：{reason}", "custody refused: {reason}";
    CustodyLegacy: "注意：旧版信封不能证明内容未被改动；请用 --sm3 与存证记录核对",
        "mind: nothing authenticates such an envelope; compare it with the record's digest by --sm3";

    // Errors: what happened
    CannotRead: "无法读取 {path}：{reason}", "cannot read {path}: {reason}";
    CannotWrite: "无法写入 {path}：{reason}", "cannot write {path}: {reason}";
    CannotPrint: "无法写到标准输出：{reason}", "cannot write to standard output: {reason}";
    NotRunning: "数据目录 {dir} 的节点没有运行", "no node is running on the data directory {dir}";
    NodeFileWrong: "{path} 不是节点写的连接信息：{reason}", "{path} is not what a node writes there: {reason}";
    IdentityWrong: "无法使用操作员的密钥或证书 {path}：{reason}",
        "the operator's key or certificate {path} cannot be used: {reason}";
    ConnectionLost: "与节点 {address} 的连接中断，已尝试 {attempts} 次：{reason}",
        "the connection to the node at {address} failed after {attempts} attempts: {reason}";
    ServerRefused: "{address} 的服务器证书不可信（{code}）：{reason}",
        "the server certificate of {address} is not trusted ({code}): {reason}";
    CertificateRefused: "{address} 拒绝了本机的证书：{meaning}（TLS 警报 {alert}）",
        "{address} refused our certificate: {meaning} (TLS alert {alert})";
    AlertBad: "证书无效", "it is not valid";
    AlertUnsupported: "证书的算法或用途不被接受", "its algorithm or purpose is not accepted";
    AlertRevoked: "证书已被吊销", "it is revoked";
    AlertExpired: "证书不在有效期内", "it has expired or is not valid yet";
    AlertUnknownCa: "证书的签发机构不被信任", "its authority is not trusted";
    AlertDenied: "证书有效，但其主体（单位、部门）不被准入", "it is valid, but its subject (O, OU) is not admitted";
    AlertRequired: "必须出示客户端证书", "a client certificate is required";
    AnswerUnexpected: "{address} 的答复不是本程序认识的节点答复：{reason}",
        "the answer from {address} is not that of a node this program knows: {reason}";
    Refused: "节点拒绝了请求：{title}", "the node refused the request: {title}";
    FileChanged: "{path} 在读取过程中发生了变化", "{path} changed while it was being read";
    RecordedOther: "节点登记的摘要与本地文件不一致：{path} 的 SM3 是 {ours}，节点登记的是 {theirs}",
        "the node recorded another digest than the file's: {path} has SM3 {ours}, the record says {theirs}";
    FieldShape: "字段“{given}”不是“名称=值”的形式", "the field \"{given}\" is not of the form NAME=VALUE";
    FieldTwice: "字段“{name}”给了两次", "the field \"{name}\" is given twice";
    FieldUnknown: "业务类型“{business}”没有字段“{name}”，可用的字段：{known}",
        "the business type {business} has no field \"{name}\"; it has: {known}";
    FieldMissing: "业务类型“{business}”必须有字段“{name}”", "the business type {business} needs the field {name}";
    FieldTooLong: "字段“{name}”超过 {limit} 个字符", "the field {name} has more than {limit} characters";
    FieldFormat: "字段“{name}”的值格式不对，应为：{expected}", "the field {name} must be {expected}";
    BusinessUnknown: "没有业务类型“{given}”", "there is no business type \"{given}\"";
    TooManyFiles: "一条记录最多 {limit} 个原件，给了 {given} 个",
        "a record holds at most {limit} originals, {given} were given";
    IdWrong: "“{given}”不是存证编号：{reason}", "\"{given}\" is not an evidence id: {reason}";
    DigestWrong: "“{given}”不是 SM3 摘要（64 位十六进制）", "\"{given}\" is not a SM3 digest (64 hexadecimal digits)";
    DateWrong: "“{given}”不是日期（年-月-日）", "\"{given}\" is not a date (yyyy-mm-dd)";
    AddressWrong: "“{given}”不是监听地址", "\"{given}\" is not an address to listen on";
    StartDamaged: "节点无法启动：文件 {file} 在偏移 {offset} 处损坏（{reason}）",
        "the node could not start: {file} is damaged at offset {offset} ({reason})";
    StartFailed: "节点无法启动：{reason}", "the node could not start: {reason}";
    InUse: "数据目录 {dir} 正在被另一个节点使用（进程 {pid}）",
        "the data directory {dir} is in use by another node (process {pid})";
    CannotListen: "无法在 {address} 监听：{reason}", "cannot listen on {address}: {reason}";
    StopFailed: "节点没有正常停止：{reason}", "the node did not stop cleanly: {reason}";
    RandomFailed: "操作系统没有提供随机数：{reason}", "the operating system gave no random bytes: {reason}";
    SignFailed: "请求无法签名：{reason}", "the request could not be signed: {reason}";

    // Errors: what to do next
    NextStartNode: "请先启动节点：changbai up --dir {dir}", "start the node first: changbai up --dir {dir}";
    NextCheckPath: "请检查路径和权限", "check the path and its permissions";
    NextFreeSpace: "请腾出磁盘空间后重试", "free disk space and try again";
    NextRestartNode: "请重新启动节点（changbai up --dir {dir}），它会重新写出该文件",
        "restart the node (changbai up --dir {dir}); it writes this file anew";
    NextIdentity: "请确认 --dir 指向节点的数据目录，且当前用户可以读取其中的 identity 目录",
        "make sure that --dir is the node's data directory and that this user may read identity/ in it";
    NextServerRefused: "请核对地址，以及 --dir 下 identity/tls-ca/ca.cert.pem 是否为该节点的传输根证书；可用 changbai tls probe 查看详情",
        "check the address, and that identity/tls-ca/ca.cert.pem below --dir is the root of that node's TLS certificates; changbai tls probe shows more";
    NextRetry: "请检查节点的日志后重试；同一份材料重复提交只会得到同一条记录",
        "look at the node's log and try again; the same submission twice gives one record";
    NextVersion: "请确认节点与本程序版本一致", "make sure that the node and this program are of one version";
    NextFile: "请等文件写完后重新提交", "wait until the file is complete and submit it again";
    NextReport: "请不要使用这条记录，并把本消息交给节点的管理员",
        "do not rely on this record; hand this message to the node's administrator";
    NextField: "例如：--field 案号=（2026）吉01民初1号", "for example: --field case_no=2026-1";
    NextBusiness: "可用的业务类型：{known}", "known business types: {known}";
    NextFiles: "请分成几条记录提交", "submit them as several records";
    NextId: "存证编号由 changbai evidence submit 和 changbai evidence list 给出",
        "changbai evidence submit and changbai evidence list print evidence ids";
    NextDigest: "摘要由 changbai sm3 文件 给出", "changbai sm3 FILE prints a digest";
    NextDate: "例如：2026-07-30", "for example: 2026-07-30";
    NextAddress: "例如：--listen http://127.0.0.1:8080 --listen gmtls://0.0.0.0:8443",
        "for example: --listen http://127.0.0.1:8080 --listen gmtls://0.0.0.0:8443";
    NextDamaged: "请从备份恢复该文件后再启动；在此之前不要改动数据目录中的其他文件",
        "restore that file from a backup and start again; change nothing else in the data directory before";
    NextStart: "请根据原因处理后重新运行 changbai up --dir {dir}",
        "resolve the cause and run changbai up --dir {dir} again";
    NextInUse: "请先停止那个节点，或用 --dir 指定别的目录（查看状态：changbai health --dir {dir}）",
        "stop that node first, or choose another directory with --dir (its health: changbai health --dir {dir})";
    NextListen: "请用 --listen 指定别的地址，例如 --listen 127.0.0.1:8081",
        "choose another address with --listen, for example --listen 127.0.0.1:8081";
    NextTrust: "信任文件（根证书与通道）由节点写在 {dir}/trust.pem，应经可靠途径取得；用 --trust 指定",
        "the node writes its trust file (root and channel) to {dir}/trust.pem; obtain it by a way you trust and pass it with --trust";
    Code: "错误码 {code}", "code {code}";
    ErrorLabel: "错误", "error";
    NextLabel: "下一步", "next";

    // Causes
    CauseNotFound: "不存在", "it does not exist";
    CausePermission: "没有权限", "permission denied";
    CauseDirectory: "这是一个目录", "it is a directory";
    CauseFull: "磁盘已满", "the disk is full";
    CauseAddressInUse: "该地址已被别的程序占用", "another program uses the address";
    CauseTooLarge: "文件过大", "it is too large";

    // up
    UpFirst: "已在 {dir} 建立新节点：根证书、节点证书、操作员证书和账本",
        "a new node was created in {dir}: root, node and operator certificates and the ledger";
    UpAgain: "节点已从 {dir} 恢复运行", "the node resumed from {dir}";
    UpUnbounded: "开发模式：时钟误差无人测定，每条记录都会永久注明；正式运行须设置 [time] source = \"chrony\"",
        "development: nobody bounds this clock's error, and every record will say so for ever; production needs [time] source = \"chrony\"";
    UpReady: "节点正在运行：{listen}", "the node is running: {listen}";
    UpNext: "接下来可以（在另一个终端）:", "next (in another terminal):";
    UpSubmit: "提交存证", "submit evidence";
    UpHealth: "查看状态", "see its health";
    UpVerify: "离线核验", "verify offline";
    UpDocs: "接口文档", "API documents";
    UpStop: "按 Ctrl-C 停止", "press Ctrl-C to stop";
    UpStopping: "正在停止……", "stopping …";
    UpStopped: "已停止，数据完整", "stopped; all data is safe";
    FileWord: "文件", "FILE";

    // network
    NetworkMaking: "建立机构", "making agencies";
    NetworkStarting: "启动节点", "starting nodes";
    NetworkStopping: "停止节点", "stopping nodes";
    NetworkMade: "已在 {dir} 建立联盟：{agencies} 个机构，其中 {validators} 个验证节点，通道 {channel}",
        "a consortium was made in {dir}: {agencies} agencies, {validators} of them validators, channel {channel}";
    NetworkRunning: "正在运行：{names}", "running: {names}";
    NetworkNodeStopped: "{name} 已停止", "{name} stopped";
    NetworkNodeEnded: "{name} 的节点已结束（{reason}），其余节点继续运行", "the node of {name} has ended ({reason}); the others go on";
    NetworkNodeIdle: "{name} 没有在运行", "{name} was not running";
    NetworkNext: "接下来可以：", "next:";
    NetworkUp: "启动联盟", "start it";
    NetworkStatus: "查看联盟", "look at it";
    NetworkDown: "停止联盟", "stop it";
    NetworkNotEmpty: "{dir} 不是空目录", "the directory {dir} is not empty";
    NextNetworkNotEmpty: "请用 --dir 指定一个空的或还不存在的目录；原有内容没有改动",
        "choose an empty or new directory with --dir; nothing in this one was changed";
    NetworkPlan: "不能这样建立联盟：--{key}：{reason}", "no consortium can be made like this: --{key}: {reason}";
    NextNetworkPlan: "可用的取值见 changbai network init --help", "changbai network init --help says what is possible";
    NetworkNone: "{dir} 中没有联盟", "there is no consortium in {dir}";
    NextNetworkNone: "请先建立：changbai network init --dir {dir}", "make one first: changbai network init --dir {dir}";
    NetworkOther: "{dir} 中的联盟有 {found} 个机构，不是 {asked} 个", "the consortium in {dir} has {found} agencies, not {asked}";
    NextNetworkOther: "请用 --dir 指定别的目录，或用 --agencies {found}", "choose another directory with --dir, or --agencies {found}";
    NetworkNoAgency: "联盟中没有“{name}”", "the consortium has no \"{name}\"";
    NextNetworkNoAgency: "可用的名称：{known}", "its names are: {known}";
    NetworkDied: "{name} 的节点没有启动：{reason}", "the node of {name} did not start: {reason}";
    NetworkSlow: "{name} 的节点在 {seconds} 秒内没有就绪", "the node of {name} was not ready within {seconds} s";
    NextNetworkLog: "详情见日志 {log}", "its log says more: {log}";
    NetworkStays: "{name} 的进程 {pid} 在 {seconds} 秒内没有结束", "process {pid} of {name} did not end within {seconds} s";
    NetworkNotOurs: "无法确认进程 {pid} 就是 {name} 的节点，没有向它发送信号",
        "process {pid} could not be confirmed to be the node of {name}; it was sent no signal";
    NextNetworkNotOurs: "请以启动该节点的用户运行本命令", "run this command as the user that started the node";
    ColumnNode: "节点", "node";
    ColumnRole: "角色", "role";
    ColumnState: "状态", "state";
    ColumnProcess: "进程", "process";
    ColumnHeight: "高度", "height";
    ColumnPeers: "已连接", "connected";
    ColumnQuorum: "法定多数", "quorum";
    ColumnListen: "接口地址", "REST";
    ColumnRemark: "说明", "remark";
    RoleValidator: "验证", "validator";
    RoleFollower: "跟随", "follower";
    StateRunning: "运行", "running";
    StateStopped: "停止", "stopped";
    StateSilent: "没有应答", "no answer";
    Yes: "有", "yes";
    No: "没有", "no";

    // channel
    Channel: "通道", "channel";
    ChannelGenesisLabel: "创世区块散列", "genesis";
    ChannelSequence: "配置更新次数", "changes so far";
    ChannelMisbehaviour: "双签", "double-signed";
    NodeChecking: "核对区块日志", "checking the block log";
    NodeExporting: "导出", "writing out";
    NodeImporting: "导入", "taking in";
    NodeVerified: "通道 {channel} 的区块日志完好：区块 0 至 {last}，交易 {transactions} 笔（有效 {valid} 笔），配置更新 {configurations} 次；最后区块头 {hash}",
        "the block log of channel {channel} is intact: blocks 0 to {last}, {transactions} transactions ({valid} valid), {configurations} changes of the configuration; last header {hash}";
    NodeTorn: "末尾有 {bytes} 字节不成区块（写入中断，或正在写入）；下次启动时会截去",
        "{bytes} bytes at the end are no block (a write that was cut short, or is under way); the next start cuts them off";
    NodeExported: "通道 {channel} 已导出到 {path}：至区块 {last}，最后区块头 {hash}",
        "channel {channel} is in {path}: up to block {last}, last header {hash}";
    NodeImported: "已导入至区块 {last}，交易 {transactions} 笔，其中 {validated} 个区块逐笔重新验证；最后区块头 {hash}",
        "taken in up to block {last}, {transactions} transactions; {validated} blocks were validated again; last header {hash}";
    NodeArchive: "账本文件有误：{reason}", "the ledger or its file is not in order: {reason}";
    NextNodeArchive: "文件损坏时请从其他机构的节点重新取得；目录已有账本时，请先移开 blocks 与 index，保留 consensus.wal",
        "get a damaged file again from another agency's node; where a ledger is there already, move blocks and index aside first and keep consensus.wal";
    CourtFound: "{id}  {agency}  证据包：{bundle}", "{id}  {agency}  bundle: {bundle}";
    CourtMissing: "{id}  账本中没有此存证", "{id}  the ledger has no such evidence";
    CourtNoted: "查询已留痕：案号 {case}，交易 {tx}，盐值 {salt}（请随卷保存）",
        "the query is recorded: case {case}, transaction {tx}, salt {salt} (keep it in the file)";
    DirectoryAdmitted: "{id} 已入跨链互认目录，交易 {tx}", "{id} is in the judicial directory, transaction {tx}";
    ChannelJoin: "已加入通道 {channel}（{dir}）", "joined channel {channel} ({dir})";
    ChannelGenesis: "通道 {channel} 的创世区块已写到 {path}，散列 {hash}；各机构应核对散列后加入",
        "the genesis block of channel {channel} is in {path}, its hash is {hash}; each agency compares the hash before it joins";
    ChannelWritten: "现行配置已写到 {path}；改好后：changbai channel update {channel} --config {path}",
        "the configuration is in {path}; once changed: changbai channel update {channel} --config {path}";
    ChannelAmbiguous: "请指明通道", "the channel must be named";
    NextChannelAmbiguous: "本节点的通道：{known}", "this node's channels: {known}";
    ChannelIdWrong: "“{given}”不是通道名称", "\"{given}\" is not a channel id";
    NextChannelId: "changbai channel list 列出节点的通道", "changbai channel list prints the node's channels";
    ChannelOther: "该更新属于通道 {channel}，不是 {given}", "the update is for channel {channel}, not {given}";
    ChangeLabel: "更改", "change";
    ChangeSigned: "已签名", "signed by";
    ChangeMissingLabel: "待签名", "missing";
    ChangeMissing: "{policy}：还须 {more} 个签名，可由 {of}", "{policy}: {more} more, of {of}";
    ChangeWritten: "更新和签名已写到 {path}", "update and signatures are in {path}";
    ChangeInForce: "已写入区块 {block}，配置第 {sequence} 次更新生效", "in block {block}; change {sequence} of the configuration is in force";
    ChangeSubmit: "签名已足；提交：changbai channel update --in {file} --submit --dir {dir}",
        "enough have signed; submit it: changbai channel update --in {file} --submit --dir {dir}";
    ChangeHandOn: "请交给还须签名的机构：changbai channel update --in {file} --sign-with 数据目录 --out {file}",
        "hand it on to those that are missing: changbai channel update --in {file} --sign-with DIR --out {file}";
    ChangeLacks: "签名不足，没有提交：还缺 {missing}", "too few have signed, nothing was submitted: missing are {missing}";
    NextChangeLacks: "请用 --sign-with 补齐签名，或用 --out 写出文件交给别的机构签名",
        "sign with --sign-with, or write it with --out and hand it on to the other agencies";
    ChangeRefused: "这样的配置更新不能成立：{reason}", "the configuration cannot change so: {reason}";
    NextChangeRefused: "请从 changbai channel info --config 得到的现行配置重新开始",
        "start again from the configuration in force: changbai channel info --config";
    DifferenceOrgAdded: "新增机构 {msp_id}（{name}）", "organisation {msp_id} ({name}) joins";
    DifferenceOrgRemoved: "移除机构 {msp_id}", "organisation {msp_id} leaves";
    DifferenceOrgChanged: "机构 {msp_id} 更改：{keys}", "organisation {msp_id} changes: {keys}";
    DifferenceValidatorAdded: "新增 {msp_id} 的验证节点 {address}", "a validator of {msp_id} is added: {address}";
    DifferenceValidatorRemoved: "移除 {msp_id} 的验证节点 {address}", "a validator of {msp_id} is removed: {address}";
    DifferenceValidatorChanged: "{msp_id} 的验证节点 {address} 的地址、次序或证书更改",
        "the validator {address} of {msp_id} changes its endpoints, position or certificate";
    DifferenceValue: "{key} 由 {before} 改为 {after}", "{key}: {before} becomes {after}";
    DifferenceGuards: "更改由谁批准的规则有变", "who guards what changes";

    // Why a node does not start
    NodeUnprepared: "{dir} 中没有节点的证书", "{dir} holds no certificates of a node";
    NextNodeUnprepared: "请先准备：试用可用 changbai network init 或 changbai up；正式环境见 docs/pki.md",
        "prepare it first: changbai network init or changbai up for a trial; docs/pki.md for production";
    NodeNoChannel: "{dir} 中没有通道“{channel}”", "{dir} holds no channel \"{channel}\"";
    NextNodeNoChannel: "请用创世区块加入：changbai channel join GENESIS.block --dir 数据目录；或改正 changbai.toml 中的 node.channel",
        "join it: changbai channel join GENESIS.block --dir DIR; or correct node.channel in changbai.toml";
    NodeForeign: "{file} 不属于通道 {channel}：{reason}", "{file} does not belong to channel {channel}: {reason}";
    NextNodeForeign: "请核对证书、agency.msp_id 与创世区块是否出自同一联盟；证书更换后须先更新通道配置",
        "make sure that the certificate, agency.msp_id and the genesis block are of one consortium; a new certificate must be in the channel's configuration first";
    NodeClock: "本机时间比通道 {channel} 的第 {block} 区块早 {seconds} 秒",
        "this machine's clock is {seconds} s behind block {block} of channel {channel}";
    NextNodeClock: "请校准本机时间（例如 chronyc tracking、timedatectl）后重新启动",
        "set the clock (chronyc tracking, timedatectl) and start again";
    NodeValidity: "{file} 的有效期为 {from} 至 {until}，而本机时间为 {now}",
        "{file} is valid from {from} to {until}, and this machine's clock shows {now}";
    NextNodeValidity: "请先核对本机时间（例如 chronyc tracking、timedatectl）；时间无误则请签发新证书，见 docs/operations.md",
        "check the clock first (chronyc tracking, timedatectl); if it is right, issue a new certificate: docs/operations.md";
    NodeGenesis: "创世区块 {file} 不能用：{reason}", "the genesis block {file} cannot be used: {reason}";
    NextNodeGenesis: "请从联盟取得原始的创世区块并放回该文件；不要改动目录中的其他文件",
        "get the original genesis block from the consortium and put it there; change nothing else in the directory";
    ChannelFileWrong: "{file} 不能用：{reason}", "{file} cannot be used: {reason}";
    NextChannelFile: "请按原因改正该文件", "correct the file as the reason says";
    ChannelJoined: "节点已有通道 {channel}", "the node has channel {channel} already";
    NextChannelJoined: "查看：changbai channel info {channel}", "see: changbai channel info {channel}";

    // pki, tls
    PkiFailed: "未能完成：{reason}", "failed: {reason}";
    PkiCaCreated: "已在 {dir} 建立证书机构：{subject}", "an authority was created in {dir}: {subject}";
    PkiIssued: "已签发 {path}：{subject}，序列号 {serial}", "issued {path}: {subject}, serial number {serial}";
    PkiCsrWritten: "证书请求已写到 {path}，私钥在同名的 .key.pem 中，请勿外传",
        "the request is in {path}; the private key in the .key.pem beside it stays here";
    PkiRevoked: "已吊销序列号 {serial}（{reason}）；请重新生成吊销列表", "revoked serial number {serial} ({reason}); make a new list now";
    SealMade: "电子印章「{name}」（编码 {id}）已写到 {path}", "the electronic seal {name} (code {id}) is in {path}";
    SealKind: "类别", "kind";
    SealKindSeal: "电子印章", "electronic seal";
    SealKindSignature: "电子签章", "signature with an electronic seal";
    SealSigner: "签章者", "signer";
    SealSignerSm3: "签章者证书 SM3", "signer's certificate, SM3";
    SealSignedAt: "签章时间", "signed at";
    SealStampedAt: "时间戳时间", "time stamp";
    SealDataSm3: "被签内容 SM3", "SM3 of what is signed";
    SealProperty: "被签内容", "what is signed";
    SealVersionLabel: "结构版本", "version";
    SealId: "印章编码", "code";
    SealName: "印章名称", "name";
    SealType: "印章类型", "type";
    SealOrganisation: "单位印章", "an organisation's";
    SealPerson: "个人印章", "a person's";
    SealVendor: "厂商", "vendor";
    SealMaker: "制章者", "maker";
    SealSigners: "可签章者", "may be used by";
    SealCreated: "制作时间", "made at";
    SealValidFrom: "有效期起", "valid from";
    SealValidTo: "有效期止", "valid to";
    SealSealStampedAt: "印章时间戳", "time stamp of the seal";
    SealPictureLabel: "印模", "picture";
    SealSignatures: "签名", "signatures";
    SealSignaturesRight: "有效（证书是否可信请用 verify 核验）", "right (whether to trust the certificates is verify's question)";
    PkiCrlWritten: "吊销列表已写到 {path}，共 {count} 项", "the revocation list is in {path}, with {count} entries";
    PkiServing: "证书机构正在服务：{listen}", "the authority serves at {listen}";
    WitnessServing: "见证人正在服务：{listen}", "the witness serves at {listen}";
    MonitorConsistent: "{source}：与已知日志一致，共 {size} 条（新增 {grown}，落后 {behind}）",
        "{source}: consistent with what is known: {size} leaves ({grown} new, {behind} behind)";
    MonitorUnchecked: "{source}：未能核对：{reason}", "{source}: not checked: {reason}";
    MonitorContradicts: "告警：{source} 展示的日志与已知日志矛盾：{kind}。两份检查点已存入 {file}。{worth}",
        "ALARM: {source} contradicts what is known of the log: {kind}. Both checkpoints are in {file}. {worth}";
    MonitorSameSize: "同样条数，两个不同的根", "two roots for one size";
    MonitorOtherBeginning: "较长的日志改写了较短日志的内容", "the longer log rewrote what the shorter one held";
    MonitorRollback: "日志比它此前展示的短", "the log is shorter than it was shown before";
    MonitorUnproven: "不能证明一个是另一个的延续", "nobody proves that one extends the other";
    MonitorConvicts: "该文件凭日志自己的签名即可证明它出示过两个不同的历史。",
        "By the log's own signatures the file proves that it showed two histories.";
    MonitorNoConviction: "该文件只说明所见，不足以单独证明。",
        "The file says what was seen; by itself it proves nothing.";
    MisbehaviourProven: "{file} 证明日志 {origin} 出示过两个不同的历史：一次 {first} 条，一次 {second} 条",
        "{file} proves that the log {origin} showed two histories: once of {first} leaves, once of {second}";
    ChainVerified: "证书链有效", "the chain is valid";
    ChainRefused: "证书链无效", "the chain is refused";
    ProbeSpoken: "{protocol}：支持，密码套件 {suite}", "{protocol}: spoken, suite {suite}";
    ProbeNot: "{protocol}：未能建立连接", "{protocol}: no connection";
    ProbeFailure: "原因", "reason";
    ProbeUnjudged: "未判定证书链：请用 --trust 给出根证书", "the chain is not judged: give a root with --trust";

    // Labels
    EvidenceId: "存证编号", "evidence id";
    BusinessType: "业务类型", "business type";
    RecordedAt: "记录时间", "recorded at";
    TimeZone: "北京时间", "UTC+8";
    Transaction: "交易", "transaction";
    Block: "区块", "block";
    Sm3: "SM3", "SM3";
    Original: "原件", "original";
    Originals: "原件数", "originals";
    Previous: "上一版本", "previous version";
    Submitter: "提交者", "submitter";
    Agency: "机构", "agency";
    Personal: "个人信息（只存承诺值）", "personal (commitments only)";
    Bytes: "{count} 字节", "{count} bytes";
    BundleSaved: "证据包", "bundle";
    CertificateSaved: "存证证书", "certificate";
    Submitted: "已存证", "recorded";
    BatchSubmitted: "整批已存证", "the batch is recorded";
    BatchBefore: "这一批此前已由同一提交者存证，以下是首次记录",
        "the same submitter recorded this batch before; this is the first record";
    BatchDigests: "摘要数量", "digests";
    BatchRoot: "批次根", "root of the batch";
    BundlesSaved: "证据包目录", "bundles";
    WritingBundles: "写证据包", "writing bundles";
    AtLine: "第 {line} 行：{detail}", "line {line}: {detail}";
    SubmittedBefore: "该材料此前已由同一提交者存证，以下是首次记录",
        "this material was recorded before by the same submitter; this is the first record";
    ListEmpty: "没有符合条件的记录", "no record matches";
    ListMore: "还有更多记录，续查：--cursor {cursor}", "there are more; continue with --cursor {cursor}";

    // health
    HealthStatus: "状态", "status";
    HealthCrypto: "密码自检 {name}", "self-test {name}";
    Passed: "通过", "passed";
    FailedWord: "未通过", "failed";

    // time check
    TsaAddress: "“{given}”不是时间戳机构的地址：{reason}", "\"{given}\" is no address of a time-stamp authority: {reason}";
    TokenVerified: "时间戳有效：该文件在所述时间已经存在", "the time stamp is valid: the file existed at the time stated";
    TokenFailed: "时间戳未通过验证（{code}）：{reason}", "the time stamp is refused ({code}): {reason}";
    TokenMissing: "未取得时间戳（{code}）：{reason}", "no time stamp ({code}): {reason}";
    TokenTime: "时间戳时间", "time stated";
    TokenAccuracy: "所述精度", "accuracy stated";
    TokenAuthority: "时间戳机构", "time-stamp authority";
    TokenPolicy: "策略", "policy";
    TokenSerial: "序列号", "serial number";
    TokenDigest: "SM3 摘要", "SM3 digest";
    TokenSource: "来源", "source";
    TokenNotStated: "未声明", "not stated";
    TimeStanding: "时钟", "clock";
    TimeAcceptable: "可用于存证", "good enough for evidence";
    TimeRefused: "不可用于存证（{code}）：{reason}", "not good enough for evidence ({code}): {reason}";
    TimeBound: "误差上界", "error bound";
    TimeReference: "时间参考源", "reference";
    TimeStratum: "层级", "stratum";
    TimeLeap: "闰秒状态", "leap status";
    TimeMeasured: "距上次校准", "last measured";
    TimeOffset: "系统偏差", "system offset";
    TimeDispersion: "根离散", "root dispersion";
    TimeDelay: "根延迟", "root delay";
    TimeChrony: "授时服务", "chronyd";
    TimeNode: "节点设置", "node's setting";
    TimeNodeChrony: "chrony：无误差上界时拒绝存证", "chrony: nothing is recorded without a bound";
    TimeNodeLocal: "local：仅供开发，记录注明时间来源为本机",
        "local: for development; records say that their time is the machine's own";

    // verify
    VerdictVerified: "结论：核验通过", "verdict: verified";
    VerdictVerifiedByRoots: "结论：核验通过（仅以根证书为依据，未认定通道）",
        "verdict: verified (by roots alone; the channel was not established)";
    VerdictNotVerified: "结论：核验不通过", "verdict: not verified";
    VerdictUnchecked: "结论：未能完成核验", "verdict: could not be checked";
    StatusProven: "已证明", "proven";
    StatusFailed: "不符", "failed";
    StatusAbsent: "没有此项", "absent";
    StatusUnchecked: "未核验", "unchecked";
    ElementContainer: "证据包结构", "container";
    ElementRecord: "存证记录", "record";
    ElementTransaction: "账本交易", "transaction";
    ElementInclusion: "入链证明", "inclusion";
    ElementHeader: "区块头与验证者签名", "header";
    ElementCertificates: "证书链", "certificates";
    ElementTrust: "信任根", "trust";
    ElementOriginal: "原件", "original";
    ElementDisclosures: "披露的个人信息", "disclosures";
    ElementValidators: "验证节点", "validators";
    ElementDocument: "证书文件", "document";
    ElementSignature: "文件签名", "signature";
    ElementChain: "签名证书", "chain";
    ElementFacts: "所载事实", "facts";
    ElementVerdictSignature: "意见签名", "verdict signature";
    ElementVerdictSigner: "意见签名者", "verdict signer";
    ElementVerdictInputs: "意见对象", "verdict inputs";
    StatedVerdict: "核验意见的结论", "the verdict states";
    SignedBy: "签名者", "signed by";
    ElementBatch: "批量存证", "batch";
    ElementLogConsistency: "日志一致性", "log consistency";
    ElementWitness: "见证", "witness";
    ElementTimeToken: "时间戳", "time token";
    ElementTimeBound: "时间误差", "time bound";
    ElementProcessLog: "全程留痕", "process log";
    ElementSeal: "签名印章", "seal";
    ElementRevocation: "证书吊销", "revocation";

    // Progress
    Hashing: "计算摘要", "hashing";
    Uploading: "上传", "uploading";
    Downloading: "下载证据包", "downloading";
    Checking: "核验", "verifying";
}

/// The wording of `message` in `lang` with its values filled in.
pub(crate) fn text(lang: Lang, message: Message, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = message.template(lang);
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `label: value`, with the colon of the language.
pub(crate) fn labelled(lang: Lang, label: Message, value: &str) -> String {
    let colon = match lang {
        Lang::Zh => "：",
        Lang::En => ": ",
    };
    format!("{}{colon}{value}", word(lang, label))
}

/// The wording of a message without values.
pub(crate) fn word(lang: Lang, message: Message) -> &'static str {
    message.template(lang)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn values(template: &str) -> BTreeSet<&str> {
        template.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect()
    }

    #[test]
    fn both_languages_carry_the_same_values() {
        for message in Message::ALL {
            let (zh, en) = (message.template(Lang::Zh), message.template(Lang::En));
            assert_eq!(values(zh), values(en), "{message:?}");
            assert!(!zh.is_empty() && !en.is_empty(), "{message:?}");
            assert!(en.chars().all(|c| c.is_ascii() || c == '…'), "{message:?}: {en}");
        }
    }

    #[test]
    fn chinese_is_chinese() {
        for message in Message::ALL.iter().filter(|m| **m != Message::Sm3) {
            let zh = message.template(Lang::Zh);
            assert!(zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{message:?}");
        }
    }

    #[test]
    fn values_are_filled_in_once() {
        let values = [("path", "{reason}"), ("reason", "gone")];
        assert_eq!(text(Lang::En, Message::CannotRead, &values), "cannot read {reason}: gone");
    }
}
