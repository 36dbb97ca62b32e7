//! Descriptions of `changbai custody`.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    (
        "custody",
        "原件保管：审计、查看、保存期限、清除",
        "originals in custody: audit, look, retention, erasure",
    ),
    (
        "custody audit",
        "保管审计的现状；--now 立即审计",
        "how the custody audit stands; --now audits at once",
    ),
    (
        "custody audit/now",
        "立即审计：节点运行时由节点执行，否则在此执行",
        "audit at once: by the node where one runs, here otherwise",
    ),
    ("custody audit/unrecorded", "列出没有存证记录的原件", "list originals of no record"),
    ("custody audit/json", "输出 JSON", "print JSON"),
    ("custody show", "查看一份原件的保管信息", "what is known of an original"),
    ("custody show/original", "原件的 SM3，或存证编号", "SM3 of the original, or an evidence id"),
    ("custody show/json", "输出 JSON，含封装的密钥", "print JSON, with the wrapped keys"),
    (
        "custody log",
        "核验并输出保管日志",
        "check every line of the custody log, and print the last ones",
    ),
    ("custody log/lines", "行数", "how many lines"),
    ("custody log/json", "输出 JSON", "print JSON"),
    ("custody admit", "为另一接收方封装原件密钥", "wrap an original's key for one more recipient"),
    ("custody admit/original", "原件的 SM3，或存证编号", "SM3 of the original, or an evidence id"),
    ("custody admit/name", "接收方名称", "name of the recipient"),
    ("custody admit/certificate", "接收方的加密证书", "its certificate for encryption"),
    ("custody retain", "延长原件的保存期限", "lengthen the retention of an original"),
    ("custody retain/original", "原件的 SM3，或存证编号", "SM3 of the original, or an evidence id"),
    (
        "custody retain/until",
        "保存到这一天之前，yyyy-mm-dd",
        "until the start of this day, yyyy-mm-dd",
    ),
    (
        "custody erase",
        "销毁原件的全部密钥，存证证明不受影响",
        "destroy every key of an original; what is proven stays proven",
    ),
    ("custody erase/original", "原件的 SM3，或存证编号", "SM3 of the original, or an evidence id"),
    ("custody erase/reason", "理由，记入保管日志", "why; goes into the custody log"),
    ("custody erase/by_order", "保存期限未满，依命令清除", "before its retention ends, by order"),
    (
        "custody erase/record_sm3",
        "同时销毁该记录（SM3）个人信息的值和盐",
        "also destroy values and salts of the record with this SM3",
    ),
    ("custody remove", "删除保存期限已满的原件", "remove an original whose retention has ended"),
    ("custody remove/original", "原件的 SM3", "SM3 of the original"),
    (
        "custody open-legacy",
        "打开旧版数字信封（IV‖SM4-CBC），不能证明其未被改动",
        "open an envelope of the first design (IV and SM4-CBC), which nothing authenticates",
    ),
    ("custody open-legacy/file", "信封文件", "the envelope"),
    (
        "custody open-legacy/key_file",
        "密钥文件：32 个十六进制数字",
        "file with the key: 32 hexadecimal digits",
    ),
    (
        "custody open-legacy/sm3",
        "存证记录中原件的 SM3，内容必须与之一致",
        "SM3 of the original from its record, which the content must have",
    ),
    ("custody open-legacy/out", "内容写入的文件", "where the content goes"),
];
