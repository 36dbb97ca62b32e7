//! A wire between two connections, on which records can be seen and changed.

use crate::tlcp::{Connection, TlcpError, keys::Side};

/// One record in flight, header included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flying {
    pub(super) from: Side,
    pub(super) bytes: Vec<u8>,
}

impl Flying {
    pub(super) fn content_type(&self) -> u8 {
        self.bytes[0]
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.bytes[5..]
    }

    /// The kind of the handshake message in a record that holds one in clear.
    pub(super) fn kind(&self) -> Option<u8> {
        (self.content_type() == 22).then(|| self.bytes[5])
    }

    pub(super) fn handshake(from: Side, message: &[u8]) -> Self {
        Self::record(from, 22, message)
    }

    pub(super) fn record(from: Side, content_type: u8, payload: &[u8]) -> Self {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        let bytes = [&[content_type, 1, 1, length[0], length[1]], payload].concat();
        Self { from, bytes }
    }
}

/// How both ends came out.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) client: Result<(), TlcpError>,
    pub(super) server: Result<(), TlcpError>,
    /// Every record sent, before it was changed.
    pub(super) records: Vec<Flying>,
}

impl Outcome {
    pub(super) fn both_ok(&self) -> bool {
        self.client.is_ok() && self.server.is_ok()
    }
}

/// Runs until nothing more is sent.
pub(super) fn run(client: &mut Connection, server: &mut Connection) -> Outcome {
    run_with(client, server, |record| vec![record.clone()])
}

/// Runs until nothing more is sent; every record becomes what `edit` makes of it.
pub(super) fn run_with(
    client: &mut Connection,
    server: &mut Connection,
    mut edit: impl FnMut(&Flying) -> Vec<Flying>,
) -> Outcome {
    let mut outcome = Outcome { client: Ok(()), server: Ok(()), records: Vec::new() };
    loop {
        let mut moved = false;
        for side in [Side::Client, Side::Server] {
            let (from, to, result) = match side {
                Side::Client => (&mut *client, &mut *server, &mut outcome.server),
                Side::Server => (&mut *server, &mut *client, &mut outcome.client),
            };
            for record in records(side, &sent(from)) {
                moved = true;
                let edited = edit(&record);
                outcome.records.push(record);
                for record in edited {
                    if let Err(error) = feed(to, &record.bytes)
                        && result.is_ok()
                    {
                        *result = Err(error);
                    }
                }
            }
        }
        if !moved {
            return outcome;
        }
    }
}

/// Everything a connection wants to send.
pub(super) fn sent(connection: &mut Connection) -> Vec<u8> {
    let mut out = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut out).unwrap();
    }
    out
}

/// Gives a connection bytes as they would arrive.
pub(super) fn feed(connection: &mut Connection, mut bytes: &[u8]) -> Result<(), TlcpError> {
    while !bytes.is_empty() {
        if connection.read_tls(&mut bytes).is_err() {
            break;
        }
        connection.process_new_packets()?;
    }
    Ok(())
}

pub(super) fn records(from: Side, mut bytes: &[u8]) -> Vec<Flying> {
    let mut found = Vec::new();
    while bytes.len() >= 5 {
        let length = 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        found.push(Flying { from, bytes: bytes[..length].to_vec() });
        bytes = &bytes[length..];
    }
    assert!(bytes.is_empty(), "half a record was sent");
    found
}
