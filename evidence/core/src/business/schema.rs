//! The fields of each business type, as data.

use super::{BusinessType, FieldRule, FieldSpec};

pub(super) fn of(business_type: BusinessType) -> &'static [FieldSpec] {
    match business_type {
        BusinessType::General => GENERAL,
        BusinessType::RealEstateRegistration => REAL_ESTATE_REGISTRATION,
        BusinessType::AdministrativePenalty => ADMINISTRATIVE_PENALTY,
        BusinessType::PublicResourceTrading => PUBLIC_RESOURCE_TRADING,
    }
}

const SHORT: FieldRule = FieldRule::Text { chars_max: 100 };
const LONG: FieldRule = FieldRule::Text { chars_max: 500 };
const NOTE: FieldRule = FieldRule::Text { chars_max: crate::limits::FIELD_CHARS_MAX };

const fn required(name: &'static str, chinese: &'static str, rule: FieldRule) -> FieldSpec {
    FieldSpec { name, chinese, required: true, personal: false, rule }
}

const fn optional(name: &'static str, chinese: &'static str, rule: FieldRule) -> FieldSpec {
    FieldSpec { name, chinese, required: false, personal: false, rule }
}

const fn personal(name: &'static str, chinese: &'static str, required: bool) -> FieldSpec {
    FieldSpec { name, chinese, required, personal: true, rule: SHORT }
}

const GENERAL: &[FieldSpec] = &[
    optional("title", "标题", LONG),
    optional("case_no", "案号", SHORT),
    optional("note", "备注", NOTE),
    personal("person", "相关人", false),
    personal("person_id", "证件号码", false),
];

const REAL_ESTATE_REGISTRATION: &[FieldSpec] = &[
    required("business_no", "受理编号", SHORT),
    required("registration_type", "登记类型", SHORT),
    required("unit_no", "不动产单元号", FieldRule::UnitNumber),
    optional("certificate_no", "不动产权证号", SHORT),
    personal("right_holder", "权利人", true),
    personal("right_holder_id", "证件号码", false),
];

const ADMINISTRATIVE_PENALTY: &[FieldSpec] = &[
    required("document_no", "决定书文号", SHORT),
    required("cause", "案由", LONG),
    required("authority", "处罚机关", SHORT),
    required("decided_on", "处罚决定日期", FieldRule::Date),
    personal("party", "当事人", true),
    personal("party_id", "证件号码", false),
];

const PUBLIC_RESOURCE_TRADING: &[FieldSpec] = &[
    required("project_no", "项目编号", SHORT),
    required("project_name", "项目名称", LONG),
    required("trading_type", "交易类别", SHORT),
    required("stage", "环节", SHORT),
    optional("section_no", "标段编号", SHORT),
    personal("bidder", "投标人", false),
];
