//! Business types (业务类型) and the fields each of them demands.

mod schema;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{
    codes::{self, ErrorCode},
    date::CivilDate,
    text::{self, TextProblem},
};

/// A business type (业务类型): it decides which fields a record must and may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BusinessType {
    /// Anything else (通用存证).
    General,
    /// Real-estate registration (不动产登记).
    RealEstateRegistration,
    /// Administrative penalty (行政处罚).
    AdministrativePenalty,
    /// Public-resource trading (公共资源交易).
    PublicResourceTrading,
}

/// One field of a business type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldSpec {
    /// Key in the record: lower-case ASCII letters and underscores.
    pub name: &'static str,
    /// The name that clerks use; accepted as a key at submission.
    pub chinese: &'static str,
    /// A record without it is refused.
    pub required: bool,
    /// Never recorded in clear: the record holds a salted commitment.
    pub personal: bool,
    /// What the value must look like.
    pub rule: FieldRule,
}

/// What the value of a field must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldRule {
    /// Free text of 1 to this many characters.
    Text {
        /// Most characters.
        chars_max: usize,
    },
    /// A real-estate unit number (不动产单元号): 28 digits and capital letters.
    UnitNumber,
    /// A day, `yyyy-mm-dd`.
    Date,
}

/// Why a field is refused. Values are never repeated: they may be personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The business type has no such field.
    #[error("{business_type} has no field {name:?}; it has: {}", list(*business_type))]
    Unknown {
        /// The business type.
        business_type: BusinessType,
        /// The key as given, shortened.
        name: String,
    },
    /// A required field is not there or empty.
    #[error("{business_type} needs the field {name} ({chinese})")]
    Missing {
        /// The business type.
        business_type: BusinessType,
        /// The field's key.
        name: &'static str,
        /// The field's Chinese name.
        chinese: &'static str,
    },
    /// More characters than the field may have.
    #[error("the field {name} ({chinese}) has more than {chars_max} characters")]
    TooLong {
        /// The field's key.
        name: &'static str,
        /// The field's Chinese name.
        chinese: &'static str,
        /// Most characters.
        chars_max: usize,
    },
    /// The value does not have the field's form.
    #[error("the field {name} ({chinese}) must be {expected}")]
    Format {
        /// The field's key.
        name: &'static str,
        /// The field's Chinese name.
        chinese: &'static str,
        /// The form it must have.
        expected: &'static str,
    },
    /// The same field is given by its key and by its Chinese name.
    #[error("the field {name} ({chinese}) is given twice")]
    Twice {
        /// The field's key.
        name: &'static str,
        /// The field's Chinese name.
        chinese: &'static str,
    },
}

/// The text names no business type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown business type; known are general, real_estate_registration, administrative_penalty, public_resource_trading"
)]
pub struct UnknownBusinessType;

/// The fields of a submission, checked against the schema and split by where they go.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CheckedFields {
    /// Recorded in clear, by key.
    pub public: BTreeMap<&'static str, String>,
    /// Only committed to, by key.
    pub personal: BTreeMap<&'static str, String>,
}

impl BusinessType {
    /// Every business type.
    pub const ALL: [Self; 4] = [
        Self::General,
        Self::RealEstateRegistration,
        Self::AdministrativePenalty,
        Self::PublicResourceTrading,
    ];

    /// The code in records, keys and queries.
    pub fn code(&self) -> &'static str {
        match self {
            Self::General => "general",
            Self::RealEstateRegistration => "real_estate_registration",
            Self::AdministrativePenalty => "administrative_penalty",
            Self::PublicResourceTrading => "public_resource_trading",
        }
    }

    /// The Chinese name.
    pub fn chinese(&self) -> &'static str {
        match self {
            Self::General => "通用存证",
            Self::RealEstateRegistration => "不动产登记",
            Self::AdministrativePenalty => "行政处罚",
            Self::PublicResourceTrading => "公共资源交易",
        }
    }

    /// The business type with exactly this [`code`](Self::code); records know no other spelling.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|business_type| business_type.code() == code)
    }

    /// The fields, in the order in which a form shows them.
    pub fn schema(&self) -> &'static [FieldSpec] {
        schema::of(*self)
    }

    /// The field with this key.
    pub fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        self.schema().iter().find(|field| field.name == name)
    }

    /// Checks the fields of a submission. Keys may be the English or the Chinese names; values lose the white space
    /// at their ends, and an empty value counts as not given.
    ///
    /// # Errors
    /// The first [`FieldError`] in schema order, after unknown keys.
    pub fn check(&self, fields: &BTreeMap<String, String>) -> Result<CheckedFields, FieldError> {
        let mut values = BTreeMap::new();
        for (key, value) in fields {
            let Some(field) = self.schema().iter().find(|f| f.name == key || f.chinese == key)
            else {
                let name = key.chars().take(UNKNOWN_NAME_CHARS_SHOWN).collect();
                return Err(FieldError::Unknown { business_type: *self, name });
            };
            let value = value.trim();
            if !value.is_empty() && values.insert(field.name, value).is_some() {
                return Err(FieldError::Twice { name: field.name, chinese: field.chinese });
            }
        }
        let mut checked = CheckedFields::default();
        for field in self.schema() {
            match values.remove(field.name) {
                Some(value) => {
                    field.check(value)?;
                    let part =
                        if field.personal { &mut checked.personal } else { &mut checked.public };
                    part.insert(field.name, value.to_owned());
                }
                None if field.required => return Err(field.missing(*self)),
                None => {}
            }
        }
        Ok(checked)
    }

    /// Checks the public fields of a record, and that its commitments are those of personal fields.
    pub(crate) fn check_recorded<'a>(
        &self,
        public: &BTreeMap<String, String>,
        personal: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), FieldError> {
        let keys = public.keys().map(|key| (key.as_str(), false));
        for (key, is_personal) in keys.chain(personal.clone().map(|key| (key, true))) {
            if self.field(key).is_none_or(|field| field.personal != is_personal) {
                let name = key.chars().take(UNKNOWN_NAME_CHARS_SHOWN).collect();
                return Err(FieldError::Unknown { business_type: *self, name });
            }
        }
        for field in self.schema() {
            let present = match public.get(field.name) {
                Some(value) => {
                    field.check(value)?;
                    true
                }
                None => personal.clone().any(|key| key == field.name),
            };
            if field.required && !present {
                return Err(field.missing(*self));
            }
        }
        Ok(())
    }
}

impl FieldSpec {
    /// Checks one value.
    ///
    /// # Errors
    /// [`FieldError::TooLong`] or [`FieldError::Format`].
    pub fn check(&self, value: &str) -> Result<(), FieldError> {
        let chars_max = match self.rule {
            FieldRule::Text { chars_max } => chars_max,
            FieldRule::UnitNumber => 28,
            FieldRule::Date => 10,
        };
        match text::check(value, chars_max) {
            Err(TextProblem::TooLong) => {
                return Err(FieldError::TooLong {
                    name: self.name,
                    chinese: self.chinese,
                    chars_max,
                });
            }
            Err(TextProblem::Empty | TextProblem::Form) => return Err(self.format()),
            Ok(()) => {}
        }
        let formed = match self.rule {
            FieldRule::Text { .. } => true,
            FieldRule::UnitNumber => {
                value.len() == 28
                    && value.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
            }
            FieldRule::Date => CivilDate::from_dashed(value).is_ok(),
        };
        if formed { Ok(()) } else { Err(self.format()) }
    }

    fn format(&self) -> FieldError {
        let expected = match self.rule {
            FieldRule::Text { .. } => "text without control characters",
            FieldRule::UnitNumber => "28 digits and capital letters",
            FieldRule::Date => "a day written yyyy-mm-dd",
        };
        FieldError::Format { name: self.name, chinese: self.chinese, expected }
    }

    fn missing(&self, business_type: BusinessType) -> FieldError {
        FieldError::Missing { business_type, name: self.name, chinese: self.chinese }
    }
}

impl FieldError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unknown { .. } => codes::FIELD_UNKNOWN,
            Self::Missing { .. } => codes::FIELD_MISSING,
            Self::TooLong { .. } => codes::FIELD_TOO_LONG,
            Self::Format { .. } => codes::FIELD_FORMAT,
            Self::Twice { .. } => codes::FIELD_TWICE,
        }
    }
}

impl FromStr for BusinessType {
    type Err = UnknownBusinessType;

    /// Accepts the code, the code in kebab case and the Chinese name.
    fn from_str(text: &str) -> Result<Self, UnknownBusinessType> {
        Self::ALL
            .into_iter()
            .find(|business_type| {
                business_type.chinese() == text || business_type.code() == text.replace('-', "_")
            })
            .ok_or(UnknownBusinessType)
    }
}

impl fmt::Display for BusinessType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for CheckedFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedFields")
            .field("public", &self.public)
            .field("personal", &self.personal.keys().collect::<Vec<_>>())
            .finish()
    }
}

fn list(business_type: BusinessType) -> String {
    let names: Vec<String> = business_type
        .schema()
        .iter()
        .map(|field| format!("{} ({})", field.name, field.chinese))
        .collect();
    names.join(", ")
}

const UNKNOWN_NAME_CHARS_SHOWN: usize = 64;
