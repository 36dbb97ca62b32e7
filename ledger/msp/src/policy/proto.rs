//! Policies as Fabric's `SignaturePolicyEnvelope`.

use changbai_wire::proto::common::{
    MspPrincipal, MspRole, SignaturePolicy, SignaturePolicyEnvelope,
    msp_principal::Classification,
    signature_policy::{NOutOf, Type},
};
use prost::Message;

use super::{Policy, PolicyError};
use crate::{Role, limits::POLICY_DEPTH_MAX};

impl Policy {
    /// The protobuf form; principals in order of first appearance, each once.
    #[must_use]
    pub fn to_proto(&self) -> SignaturePolicyEnvelope {
        let mut principals: Vec<(&str, Role)> = Vec::new();
        let rule = self.to_rule(&mut principals);
        let identities = principals
            .into_iter()
            .map(|(msp_id, role)| MspPrincipal {
                principal_classification: Classification::Role.into(),
                principal: MspRole {
                    msp_identifier: msp_id.to_owned(),
                    role: i32::from(role as u8),
                }
                .encode_to_vec(),
            })
            .collect();
        SignaturePolicyEnvelope { version: 0, rule: Some(rule), identities }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// [`PolicyError`] for principals other than roles, and as [`Policy::check`].
    pub fn from_proto(envelope: &SignaturePolicyEnvelope) -> Result<Self, PolicyError> {
        if envelope.version != 0 {
            return Err(PolicyError::Message("version"));
        }
        let principals =
            envelope.identities.iter().map(principal).collect::<Result<Vec<_>, _>>()?;
        let rule = envelope.rule.as_ref().ok_or(PolicyError::Message("no rule"))?;
        let policy = from_rule(rule, &principals, POLICY_DEPTH_MAX)?;
        policy.check().map(|()| policy)
    }

    fn to_rule<'a>(&'a self, principals: &mut Vec<(&'a str, Role)>) -> SignaturePolicy {
        let rule = match self {
            Self::SignedBy { msp_id, role } => {
                let wanted = (msp_id.as_str(), *role);
                let known = principals.iter().position(|principal| *principal == wanted);
                let index = known.unwrap_or_else(|| {
                    principals.push(wanted);
                    principals.len().saturating_sub(1)
                });
                Type::SignedBy(i32::try_from(index).unwrap_or(i32::MAX))
            }
            Self::OutOf { n, rules } => Type::NOutOf(NOutOf {
                n: i32::try_from(*n).unwrap_or(i32::MAX),
                rules: rules.iter().map(|rule| rule.to_rule(principals)).collect(),
            }),
        };
        SignaturePolicy { r#type: Some(rule) }
    }
}

fn principal(message: &MspPrincipal) -> Result<(String, Role), PolicyError> {
    if message.principal_classification != i32::from(Classification::Role) {
        return Err(PolicyError::Message("a principal is not a role"));
    }
    let role = MspRole::decode(message.principal.as_slice())
        .map_err(|_| PolicyError::Message("a role does not parse"))?;
    let found = Role::ALL.into_iter().find(|known| i32::from(*known as u8) == role.role);
    let known = found.ok_or(PolicyError::Message("an unknown role"))?;
    Ok((role.msp_identifier, known))
}

fn from_rule(
    rule: &SignaturePolicy,
    principals: &[(String, Role)],
    depth: usize,
) -> Result<Policy, PolicyError> {
    let Some(below) = depth.checked_sub(1) else { return Err(PolicyError::TooDeep) };
    match rule.r#type.as_ref().ok_or(PolicyError::Message("an empty rule"))? {
        Type::SignedBy(index) => {
            let (msp_id, role) = usize::try_from(*index)
                .ok()
                .and_then(|index| principals.get(index))
                .ok_or(PolicyError::Message("a rule names a missing principal"))?;
            Ok(Policy::SignedBy { msp_id: msp_id.clone(), role: *role })
        }
        Type::NOutOf(gate) => {
            let n = u32::try_from(gate.n).map_err(|_| PolicyError::Message("a negative count"))?;
            let rules = gate
                .rules
                .iter()
                .map(|rule| from_rule(rule, principals, below))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(Policy::OutOf { n, rules })
        }
    }
}
