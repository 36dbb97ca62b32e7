//! Descriptions of `changbai court` and `changbai directory`.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    (
        "court",
        "法院：按案号查询存证，每次查询都留痕",
        "courts: ask for evidence by case number; each query is recorded",
    ),
    (
        "court query",
        "查询存证（以 identity/court.key.pem 和 court.cert.pem 的身份）",
        "ask for evidence, as identity/court.key.pem and court.cert.pem",
    ),
    (
        "court query/case",
        "案号，如（2026）吉0102民初1234号",
        "case number, such as （2026）吉0102民初1234号",
    ),
    ("court query/evidence", "存证编号，可重复", "evidence id; repeatable"),
    (
        "court query/digest",
        "查询与该文件摘要相同的存证",
        "ask for what is recorded of this file's digest",
    ),
    (
        "court query/purpose",
        "用途：filing 立案、trial 审理、enforcement 执行、review 审判监督",
        "what for: filing, trial, enforcement, review",
    ),
    ("court query/json", "以 JSON 输出结果", "print the result as JSON"),
    ("court list", "列出在本节点按该案号做过的查询", "list what was asked in a case at this node"),
    ("court list/case", "案号", "case number"),
    ("court list/cursor", "上一页给出的游标", "where the page before ended"),
    ("court list/json", "以 JSON 输出结果", "print the result as JSON"),
    (
        "directory",
        "跨链互认目录：申请入录、查看",
        "the judicial directory: have a record admitted, look at it",
    ),
    (
        "directory admit",
        "申请入录；未通过的校验逐项列出",
        "have a record admitted; every gate that refuses is named",
    ),
    ("directory admit/id", "存证编号", "evidence id"),
    (
        "directory admit/certificate",
        "由本节点出具的存证证书文件（PDF 或 OFD）",
        "the certificate that this node handed out (PDF or OFD)",
    ),
    ("directory admit/json", "以 JSON 输出结果", "print the result as JSON"),
    ("directory list", "列出目录", "list the directory"),
    ("directory list/cursor", "上一页给出的游标", "where the page before ended"),
    ("directory list/json", "以 JSON 输出结果", "print the result as JSON"),
    ("directory show", "查看一条存证的目录项", "show the entry of one record"),
    ("directory show/id", "存证编号", "evidence id"),
    ("directory show/json", "以 JSON 输出结果", "print the result as JSON"),
];
