//! What both sides of a connection do alike: records in and out, alerts, data.

use std::fmt;

use smkit::Random;

use super::{
    alert::{AlertDescription, AlertLevel},
    constant,
    error::TlcpError,
    keys::{DirectionKeys, MasterSecret, Side},
    limits::{EMPTY_RECORDS_MAX, FRAGMENT_BYTES_MAX, RECEIVED_BYTES_MAX, WARNINGS_MAX},
    messages::{Message, MessageKind},
    pair::Pair,
    received::Received,
    record::{ContentType, Direction, inbound::Inbound, joiner::Joiner, outbound::Outbound},
    suite::CipherSuite,
    transcript::Transcript,
};

/// The part of a connection that knows records but no handshake.
pub(crate) struct Core {
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Outbound,
    pub(crate) received: Received,
    pub(crate) transcript: Transcript,
    pub(crate) random: Box<dyn Random + Send>,
    pub(crate) agreed: Agreed,
    /// The handshake is complete: data may flow.
    pub(crate) established: bool,
    pub(crate) close_received: bool,
    pub(crate) failure: Option<TlcpError>,
    close_sent: bool,
    reading: Direction,
    writing: Direction,
    joiner: Joiner,
    empty_records: u32,
    warnings: u32,
}

/// What the handshake agreed on, as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Agreed {
    pub(crate) suite: Option<CipherSuite>,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) peer: Option<Pair>,
    pub(crate) server_name: Option<String>,
    pub(crate) resumed: bool,
}

/// What a record meant.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// Handshake bytes, to be fetched with [`Core::next_message`].
    Handshake,
    ChangeCipherSpec,
    /// Data or an alert; dealt with.
    Done,
}

impl Core {
    pub(crate) fn new(random: Box<dyn Random + Send>, keep_messages: bool) -> Self {
        Self {
            inbound: Inbound::default(),
            outbound: Outbound::default(),
            received: Received::default(),
            transcript: Transcript::new(keep_messages),
            random,
            agreed: Agreed::default(),
            established: false,
            close_received: false,
            failure: None,
            close_sent: false,
            reading: Direction::default(),
            writing: Direction::default(),
            joiner: Joiner::default(),
            empty_records: 0,
            warnings: 0,
        }
    }

    /// Takes the next record that has arrived; `None` while there is none.
    pub(crate) fn next_record(&mut self) -> Result<Option<Incoming>, TlcpError> {
        let protected = self.reading.is_protected();
        let Some((kind, payload)) = self.inbound.next(protected)? else { return Ok(None) };
        let plain = self.reading.open(kind, payload)?;
        if plain.is_empty() {
            return self.empty_record(kind).map(Some);
        }
        self.empty_records = 0;
        let incoming = match kind {
            ContentType::Handshake => {
                self.joiner.push(plain);
                Incoming::Handshake
            }
            ContentType::ChangeCipherSpec if *plain == [1] => Incoming::ChangeCipherSpec,
            ContentType::ChangeCipherSpec => {
                return Err(TlcpError::MalformedRecord { reason: "ChangeCipherSpec" });
            }
            ContentType::Alert => {
                let alert = <[u8; 2]>::try_from(&*plain);
                let alert = alert.map_err(|_| TlcpError::MalformedRecord { reason: "alert" })?;
                self.alert(alert)?;
                Incoming::Done
            }
            ContentType::ApplicationData if self.established => {
                self.received.push(plain);
                Incoming::Done
            }
            ContentType::ApplicationData => {
                let (received, expected) = ("application data", "a handshake message");
                return Err(TlcpError::UnexpectedMessage { received, expected });
            }
        };
        Ok(Some(incoming))
    }

    /// The next handshake message that is complete.
    pub(crate) fn next_message(&mut self) -> Result<Option<Message>, TlcpError> {
        self.joiner.pop()
    }

    /// From the next record on the peer writes under `keys`.
    ///
    /// # Errors
    /// Part of a message is left: it would be half in clear, half protected.
    pub(crate) fn read_under(&mut self, keys: DirectionKeys<'_>) -> Result<(), TlcpError> {
        self.expect_no_fragment("ChangeCipherSpec")?;
        self.reading = Direction::new(keys);
        Ok(())
    }

    /// Refuses what follows a message that must end its record.
    pub(crate) fn expect_no_fragment(&self, received: &'static str) -> Result<(), TlcpError> {
        if self.joiner.is_empty() {
            return Ok(());
        }
        Err(TlcpError::UnexpectedMessage { received, expected: "the rest of a message" })
    }

    /// Sends a message, in a record of its own: GmSSL takes no second one from a record.
    pub(crate) fn send(&mut self, message: &Message) -> Result<(), TlcpError> {
        self.transcript.add(message);
        self.send_bytes(ContentType::Handshake, message.bytes())
    }

    /// Sends `ChangeCipherSpec` and writes under `keys` from then on.
    pub(crate) fn write_under(&mut self, keys: DirectionKeys<'_>) -> Result<(), TlcpError> {
        self.send_bytes(ContentType::ChangeCipherSpec, &[1])?;
        self.writing = Direction::new(keys);
        Ok(())
    }

    /// Sends this side's Finished.
    pub(crate) fn send_finished(
        &mut self,
        master: &MasterSecret,
        side: Side,
    ) -> Result<(), TlcpError> {
        let data = master.verify_data(side, &self.transcript.digest());
        self.send(&Message::write(MessageKind::Finished, |out| out.extend_from_slice(&data)))
    }

    /// Checks the peer's Finished.
    pub(crate) fn check_finished(
        &mut self,
        master: &MasterSecret,
        side: Side,
        message: &Message,
    ) -> Result<(), TlcpError> {
        let found = message.parse(|reader| reader.array::<{ super::keys::VERIFY_BYTES }>())?;
        let expected = master.verify_data(side, &self.transcript.digest());
        if !constant::equal(&found, &expected) {
            return Err(TlcpError::BadFinished);
        }
        self.transcript.add(message);
        Ok(())
    }

    /// The handshake is complete: what only it needed is given back, for connections may live long.
    pub(crate) fn establish(&mut self, suite: CipherSuite, peer: Option<Pair>, resumed: bool) {
        self.agreed.suite = Some(suite);
        self.agreed.peer = peer;
        self.agreed.resumed = resumed;
        self.established = true;
        self.transcript = Transcript::default();
        self.joiner = Joiner::default();
    }

    /// Protects application data; takes as much as the buffer has room for.
    pub(crate) fn write_data(&mut self, data: &[u8]) -> Result<usize, TlcpError> {
        let (now, _) = data.split_at(data.len().min(self.outbound.room()));
        for fragment in now.chunks(FRAGMENT_BYTES_MAX) {
            // The last records are for alerts.
            if self.writing.left() <= RECORDS_KEPT {
                let error = TlcpError::KeysExhausted;
                self.fail(&error);
                return Err(error);
            }
            self.send_record(ContentType::ApplicationData, fragment)?;
        }
        Ok(now.len())
    }

    /// Says that nothing more is sent; once only.
    pub(crate) fn send_close_notify(&mut self) {
        if !self.close_sent && self.failure.is_none() {
            self.send_alert(AlertLevel::Warning, AlertDescription::CLOSE_NOTIFY);
        }
    }

    /// Ends the connection and tells the peer why.
    pub(crate) fn fail(&mut self, error: &TlcpError) {
        if self.failure.is_none() {
            match (error.alert(), error, self.reading.is_fresh()) {
                // A TLS client understands no alert in TLCP's version; those that speak both then come back with TLCP.
                (
                    Some((level, description)),
                    TlcpError::ForeignRecord { major: 3, minor },
                    true,
                ) => {
                    let alert = [21, 3, (*minor).min(3), 0, 2, level.code(), description.0];
                    self.outbound.buffer().extend_from_slice(&alert);
                }
                (Some((level, description)), ..) => self.send_alert(level, description),
                (None, ..) => {}
            }
            self.failure = Some(error.clone());
        }
    }

    pub(crate) const fn close_sent(&self) -> bool {
        self.close_sent
    }

    /// Whether more may be taken from the transport before the application has read.
    pub(crate) fn wants_read(&self) -> bool {
        self.failure.is_none() && !self.close_received && self.received.len() < RECEIVED_BYTES_MAX
    }

    /// As if all but `left` records had been sent.
    #[cfg(test)]
    pub(super) const fn exhaust(&mut self, left: u64) {
        self.writing.exhaust(left);
    }

    fn send_alert(&mut self, level: AlertLevel, description: AlertDescription) {
        self.close_sent |= description == AlertDescription::CLOSE_NOTIFY;
        // If even this cannot be protected, closing the transport says the rest.
        let _ = self.send_record(ContentType::Alert, &[level.code(), description.0]);
    }

    pub(super) fn send_bytes(&mut self, kind: ContentType, bytes: &[u8]) -> Result<(), TlcpError> {
        bytes.chunks(FRAGMENT_BYTES_MAX).try_for_each(|fragment| self.send_record(kind, fragment))
    }

    pub(super) fn send_record(&mut self, kind: ContentType, plain: &[u8]) -> Result<(), TlcpError> {
        self.writing.seal(kind, plain, self.outbound.buffer(), &mut *self.random)
    }

    fn alert(&mut self, [level, description]: [u8; 2]) -> Result<(), TlcpError> {
        let level = AlertLevel::from_code(level)
            .ok_or(TlcpError::MalformedRecord { reason: "level of an alert" })?;
        let description = AlertDescription(description);
        match level {
            _ if description == AlertDescription::CLOSE_NOTIFY && self.established => {
                self.close_received = true;
                Ok(())
            }
            AlertLevel::Warning if description != AlertDescription::CLOSE_NOTIFY => {
                self.warnings += 1;
                if self.warnings > WARNINGS_MAX { Err(TlcpError::TooManyWarnings) } else { Ok(()) }
            }
            _ => Err(TlcpError::AlertReceived { description }),
        }
    }

    /// Only data may be empty (RFC 5246 §6.2.1), and not for long.
    fn empty_record(&mut self, kind: ContentType) -> Result<Incoming, TlcpError> {
        if kind != ContentType::ApplicationData || !self.established {
            return Err(TlcpError::MalformedRecord { reason: "empty record" });
        }
        self.empty_records += 1;
        if self.empty_records > EMPTY_RECORDS_MAX {
            return Err(TlcpError::TooManyEmptyRecords);
        }
        Ok(Incoming::Done)
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Core")
            .field("agreed", &self.agreed)
            .field("established", &self.established)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// Records of a key that data may not use up.
const RECORDS_KEPT: u64 = 4;
