//! One evidence and its certificate.

use changbai_certificate::{
    Certificate, CertificateFacts, FilingNumber, FontSource, Issuer, Originals,
};
use changbai_receipt::{Bundle, read_bundle};

use crate::fixture::City;

pub(crate) fn bundle(city: &City) -> Bundle {
    read_bundle(&mut city.bundle().as_slice()).unwrap()
}

pub(crate) fn facts(city: &City) -> CertificateFacts {
    CertificateFacts::establish(&bundle(city), &[], &city.trust, Originals::Compared).unwrap()
}

pub(crate) fn issuer() -> Issuer {
    let number = FilingNumber::new("吉网信备22010024273626860016号").unwrap();
    Issuer::new("长春市电子数据存证平台")
        .unwrap()
        .with_filing_number(number)
        .with_verification_url("https://evidence.example.cn/verify")
        .unwrap()
}

pub(crate) fn certificate() -> Certificate {
    certificate_of(&City::new(4))
}

pub(crate) fn certificate_of(city: &City) -> Certificate {
    Certificate::new(facts(city), issuer(), FontSource::built_in().unwrap()).unwrap()
}
