//! One submission from its fields to the ledger.

use std::collections::BTreeMap;

use changbai_wire::time::TimeReading;
use smkit::sm3::Sm3Digest;

use super::{AgencyProfile, EvidenceService, Handed, SubmitError, TimeRefusal, flight::Role};
use crate::{
    batch::BatchRoot,
    business::{BusinessType, CheckedFields},
    codes,
    commitment::Opening,
    contract::{self, StoredRecord},
    date::CivilDate,
    evidence_id::EvidenceId,
    ledger::{Committed, LedgerError},
    limits::{SUBMIT_ATTEMPTS_MAX, TIME_MS_MAX},
    record::{
        self, Collection, OriginalRef, Record, RecordError, RecordParts, RecordTime, SubmitterRef,
    },
};

/// What somebody wants recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Submission {
    /// Decides which fields there are.
    pub business_type: BusinessType,
    /// Fields by their English or Chinese names, personal ones included.
    pub fields: BTreeMap<String, String>,
    /// The digests that the record stands for, in place of originals. Whoever submits keeps them: the ledger has
    /// their root only.
    pub batch: Option<BatchRoot>,
    /// The originals, at least one unless there is a batch; those in the platform's custody must already be stored.
    pub originals: Vec<OriginalRef>,
    /// The latest version of an evidence that this one follows.
    pub previous: Option<EvidenceId>,
    /// How the originals were collected.
    pub collection: Collection,
}

/// Who wants it recorded, as established from the certificate that signed the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitter {
    /// SM3 of the certificate's DER.
    pub certificate_sm3: Sm3Digest,
    /// The certificate's subject, RFC 4514.
    pub subject: String,
    /// The organisation that the certificate belongs to; it must be the service's own.
    pub msp_id: String,
}

/// A submission that is on the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The record, of an earlier submission if `duplicate`.
    pub record: Record,
    /// The transaction that wrote it, 64 lower-case hexadecimal digits.
    pub tx_id: String,
    /// Number of its block.
    pub block_number: u64,
    /// Whether it was recorded before.
    pub duplicate: bool,
    /// The block's time, unix milliseconds.
    pub committed_at_ms: u64,
}

impl EvidenceService {
    /// Records `submission`, once: equal submissions (organisation, submitter's subject, business type, originals in
    /// order) get the first one's record with `duplicate` set, whatever their fields say.
    ///
    /// Durable on the ledger when this returns `Ok`. The openings of personal values are stored before the record.
    /// Dropping the future leaves it open whether the record was written; submitting again is safe.
    ///
    /// # Errors
    /// [`SubmitError`]; only [`SubmitError::OutcomeUnknown`] leaves it open whether there is a record.
    pub async fn submit(
        &self,
        submission: Submission,
        submitter: &Submitter,
    ) -> Result<Submitted, SubmitError> {
        self.submit_handed(submission, submitter, self.handed()).await
    }

    /// [`submit`](Self::submit), telling the process log when the submission arrived and in which role it was handed
    /// in.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn submit_handed(
        &self,
        submission: Submission,
        submitter: &Submitter,
        handed: Handed,
    ) -> Result<Submitted, SubmitError> {
        let checked = Checked::new(submission, submitter, &self.agency)?;
        self.check_time()?;
        loop {
            match self.flights.join(checked.key)? {
                Role::Leader(leader) => {
                    let outcome = self.submit_checked(&checked, &handed).await;
                    leader.land(&outcome);
                    return outcome;
                }
                Role::Follower(follower) => match follower.outcome().await {
                    Some(Ok(first)) => return checked.as_duplicate(first),
                    Some(Err(error)) if error.is_shared() => return Err(error),
                    // The leader's own fault, or it was cancelled: our turn.
                    Some(Err(_)) | None => {}
                },
            }
        }
    }

    async fn submit_checked(
        &self,
        checked: &Checked,
        handed: &Handed,
    ) -> Result<Submitted, SubmitError> {
        if let Some(first) = self.find_duplicate(&checked.key).await? {
            return checked.as_duplicate(first);
        }
        for attempt in 0..SUBMIT_ATTEMPTS_MAX {
            let (record, openings) = self.build(checked, attempt > 0).await?;
            match self.submit_record(&record, openings, handed).await? {
                Attempt::Committed(committed) => {
                    return Ok(Submitted {
                        record,
                        tx_id: committed.tx_id,
                        block_number: committed.block_number,
                        duplicate: false,
                        committed_at_ms: committed.time_ms,
                    });
                }
                Attempt::Overtaken => {
                    if let Some(first) = self.find_duplicate(&checked.key).await? {
                        return checked.as_duplicate(first);
                    }
                }
            }
        }
        Err(SubmitError::Contended { attempts: SUBMIT_ATTEMPTS_MAX })
    }

    /// One transaction. Log and openings go first, so that nothing is recorded unlogged, and no commitment that nobody
    /// could open.
    async fn submit_record(
        &self,
        record: &Record,
        openings: Vec<Opening>,
        handed: &Handed,
    ) -> Result<Attempt, SubmitError> {
        let _under_way = self.log_submission(record, handed).await?;

        let id = *record.id();
        let has_openings = !openings.is_empty();
        if has_openings {
            let record = record.clone();
            self.with_openings(move |store| store.put(&record, &openings)).await?;
        }
        let args = vec![record.to_bytes()];
        let error = match self.ledger.submit(contract::NAME, contract::CREATE, args).await {
            Ok(committed) => {
                self.log_committed(record, &committed);
                return Ok(Attempt::Committed(committed));
            }
            Err(error) => error,
        };
        let verdict = match error {
            LedgerError::Conflict => Ok(Attempt::Overtaken),
            LedgerError::Refused { code, .. }
                if code == codes::DUPLICATE.code || code == codes::ID_TAKEN.code =>
            {
                Ok(Attempt::Overtaken)
            }
            LedgerError::Refused { code, message, .. } => {
                Err(SubmitError::Refused { code, message })
            }
            LedgerError::Busy { retry_after_ms } => Err(SubmitError::Busy { retry_after_ms }),
            error @ (LedgerError::Invalid { .. } | LedgerError::Unavailable { .. }) => {
                Err(SubmitError::Query(Box::new(error.into())))
            }
            // Anything else does not promise that the transaction will never be committed: the openings stay.
            error => return Err(SubmitError::OutcomeUnknown { id, reason: error.to_string() }),
        };
        if has_openings {
            // Sealed and of no record: harmless if they cannot be erased now.
            let _ = self.erase_openings(record).await;
        }
        verdict
    }

    /// A fresh record with its own time, id and salts.
    async fn build(
        &self,
        checked: &Checked,
        reread: bool,
    ) -> Result<(Record, Vec<Opening>), SubmitError> {
        let TimeReading { at, bound_us } = self.clock.now();
        if bound_us.is_none() && self.time_gate.is_some() {
            self.check_time()?;
            return Err(SubmitError::Time(Box::new(TimeRefusal::passing())));
        }
        let date = CivilDate::in_china(at).map_err(|_| SubmitError::Clock)?;
        if at.0 > TIME_MS_MAX {
            return Err(SubmitError::Clock);
        }
        let id = self.next_id(date, reread).await?;
        let mut openings = Vec::new();
        for (name, value) in &checked.fields.personal {
            let mut salt = [0; 32];
            self.random_bytes(&mut salt)?;
            openings.push(Opening { name: (*name).to_owned(), value: value.clone(), salt });
        }
        let record = checked.record(id, RecordTime { at_ms: at.0, bound_us }, &openings)?;
        Ok((record, openings))
    }

    async fn find_duplicate(&self, key: &Sm3Digest) -> Result<Option<Submitted>, SubmitError> {
        let args = vec![key.to_string().into_bytes()];
        let answer =
            self.evaluate(contract::FIND_DUPLICATE, args).await.map_err(super::QueryError::from)?;
        if answer.is_empty() {
            return Ok(None);
        }
        let stored = StoredRecord::from_bytes(&answer).map_err(super::QueryError::from)?;
        let stored = self.locate(stored).await?;
        Ok(Some(Submitted {
            record: stored.record,
            tx_id: stored.tx_id,
            block_number: stored.block_number,
            duplicate: true,
            committed_at_ms: stored.committed_at_ms,
        }))
    }
}

enum Attempt {
    Committed(Committed),
    /// Not recorded: somebody else took the id, the duplicate key or the version link first.
    Overtaken,
}

/// A submission that can become a record.
struct Checked {
    key: Sm3Digest,
    fields: CheckedFields,
    template: RecordParts,
}

impl Checked {
    fn new(
        submission: Submission,
        submitter: &Submitter,
        agency: &AgencyProfile,
    ) -> Result<Self, SubmitError> {
        if submitter.msp_id != agency.msp_id {
            return Err(SubmitError::ForeignSubmitter);
        }
        let fields = submission.business_type.check(&submission.fields)?;
        let (business_type, subject) = (submission.business_type, &submitter.subject);
        let originals = submission.originals.iter().map(|original| &original.sm3);
        let key = match &submission.batch {
            Some(batch) => {
                record::batch_duplicate_key(&agency.msp_id, subject, business_type, batch)
            }
            None => record::duplicate_key(&agency.msp_id, subject, business_type, originals),
        };
        // Time and id of this record are replaced for each attempt.
        let epoch = CivilDate::new(1970, 1, 1).map_err(|_| SubmitError::Clock)?;
        let id = EvidenceId::compose(&agency.region, &agency.code, epoch, 0)
            .map_err(|reason| RecordError::Id { part: "id", reason })?;
        let template = RecordParts {
            id,
            agency: agency.to_agency(),
            batch: submission.batch,
            business_type,
            collection: submission.collection,
            fields: fields.public.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            originals: submission.originals,
            personal: BTreeMap::new(),
            previous: submission.previous,
            submitter: SubmitterRef {
                certificate_sm3: submitter.certificate_sm3,
                subject: submitter.subject.clone(),
            },
            time: RecordTime { at_ms: 0, bound_us: None },
        };
        let checked = Self { key, fields, template };
        // Whatever is wrong is found here, before a serial or the ledger is touched.
        let trial: Vec<Opening> = checked
            .fields
            .personal
            .keys()
            .map(|name| Opening { name: (*name).to_owned(), value: String::new(), salt: [0; 32] })
            .collect();
        checked.record(id, checked.template.time, &trial)?;
        Ok(checked)
    }

    fn record(
        &self,
        id: EvidenceId,
        time: RecordTime,
        openings: &[Opening],
    ) -> Result<Record, RecordError> {
        let personal = openings.iter().map(|opening| (opening.name.clone(), opening.commitment()));
        Record::new(RecordParts { id, time, personal: personal.collect(), ..self.template.clone() })
    }

    /// The answer to this submission when `first` is what is recorded under its key. A submission that names a
    /// previous record must not be told that it became that record's new version when it did not.
    fn as_duplicate(&self, first: Submitted) -> Result<Submitted, SubmitError> {
        match self.template.previous {
            Some(previous) if first.record.previous() != Some(&previous) => {
                Err(SubmitError::RecordedElsewhere { first: *first.record.id(), previous })
            }
            _ => Ok(Submitted { duplicate: true, ..first }),
        }
    }
}

impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be personal.
        f.debug_struct("Submission")
            .field("business_type", &self.business_type)
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .field("batch", &self.batch)
            .field("originals", &self.originals)
            .field("previous", &self.previous)
            .finish_non_exhaustive()
    }
}
