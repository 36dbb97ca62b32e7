//! Sets as they come.

use der::{
    Decode, DecodeValue, Encode, EncodeValue, FixedTag, Header, Length, Reader, Tag, Writer,
};

/// A `SET OF` whose elements stand in any order. RFC 5652 demands DER of signed attributes alone, and many authorities
/// list certificates leaf first; everything else about such a set is as strict as elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsorted<T>(pub(crate) Vec<T>);

impl<T: Encode> Unsorted<T> {
    /// In the order of DER (X.690 §11.6), which is the one we write.
    pub(crate) fn sorted(elements: Vec<T>) -> der::Result<Self> {
        let mut keyed = elements
            .into_iter()
            .map(|element| Ok((element.to_der()?, element)))
            .collect::<der::Result<Vec<_>>>()?;
        keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Self(keyed.into_iter().map(|(_, element)| element).collect()))
    }
}

impl<T> FixedTag for Unsorted<T> {
    const TAG: Tag = Tag::Set;
}

impl<'a, T> DecodeValue<'a> for Unsorted<T>
where
    T: Decode<'a, Error = der::Error>,
{
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        let mut elements = Vec::new();
        while !reader.is_finished() {
            elements.push(T::decode(reader)?);
        }
        Ok(Self(elements))
    }
}

impl<T: Encode> EncodeValue for Unsorted<T> {
    fn value_len(&self) -> der::Result<Length> {
        self.0.iter().try_fold(Length::ZERO, |length, element| length + element.encoded_len()?)
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        self.0.iter().try_for_each(|element| element.encode(writer))
    }
}
