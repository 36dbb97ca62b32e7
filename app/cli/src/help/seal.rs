//! Descriptions of `changbai seal`.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    ("seal", "电子印章：制作、查看", "electronic seals: making, showing"),
    (
        "seal make",
        "制作电子印章（GB/T 38540-2020），印模取自图片或按公章样式绘制",
        "make an electronic seal (GB/T 38540-2020) from a picture, or drawn round",
    ),
    (
        "seal make/name",
        "印章名称；绘制时也是弧形文字",
        "name of the seal; drawn along the arc as well",
    ),
    ("seal make/id", "印章编码，通常为 14 位数字", "code of the seal, 14 digits in practice"),
    ("seal make/maker_cert", "制章者证书", "certificate of the seal's maker"),
    ("seal make/maker_key", "制章者私钥", "private key of the seal's maker"),
    (
        "seal make/signers",
        "可用此印章签章的证书，可重复",
        "a certificate that may sign with the seal; repeatable",
    ),
    (
        "seal make/picture",
        "印模图片（PNG，最好带透明背景）",
        "picture of the seal (PNG, best with transparency)",
    ),
    ("seal make/width_mm", "图片的宽度，毫米", "width of the picture in millimetres"),
    (
        "seal make/arc",
        "绘制时的弧形文字，默认为印章名称",
        "text along the arc when drawn; by default the name",
    ),
    ("seal make/line", "绘制时五角星下方的文字，例如 存证专用章", "text below the star when drawn"),
    (
        "seal make/font",
        "绘制用的字体（OpenType），默认为内置宋体",
        "font to draw with (OpenType); by default the built-in one",
    ),
    ("seal make/days", "有效天数", "days of validity"),
    (
        "seal make/person",
        "个人印章（默认为单位印章）",
        "a person's seal, instead of an organisation's",
    ),
    (
        "seal make/digests",
        "只写入签章者证书的摘要",
        "write digests of the signers' certificates only",
    ),
    (
        "seal make/v5",
        "按 GM/T 0031-2025（第 5 版）制作",
        "make it after GM/T 0031-2025 (version 5)",
    ),
    ("seal make/out", "输出文件（.esl）", "file to write (.esl)"),
    ("seal make/json", "输出 JSON", "print JSON"),
    (
        "seal show",
        "用文字说明电子印章（.esl）或电子签章（SignedValue.dat）",
        "say in words what a seal (.esl) or a signature with one (SignedValue.dat) holds",
    ),
    ("seal show/file", ".esl 或 SignedValue.dat 文件", "an .esl or SignedValue.dat file"),
    ("seal show/picture", "把印模图片写到此文件", "write the seal's picture to this file"),
    ("seal show/json", "输出 JSON", "print JSON"),
];
