//! Every metric of a node, in one place. `docs/operations.md` repeats the table, and a test compares the two.
//!
//! Names without the prefix `changbai_` are Fabric's, or those that every Prometheus client library gives a process; they
//! mean the same here, with the same labels.

/// What kind of numbers a metric has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Only grows while the process runs.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution over these upper bounds, in seconds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Names of its labels, in the order in which values are given.
    pub(crate) labels: &'static [&'static str],
    pub(crate) help: &'static str,
}

macro_rules! table {
    ($($constant:ident = $kind:expr, $name:literal, [$($label:literal),*], $help:literal;)*) => {
        $(pub(crate) const $constant: Metric =
            Metric { name: $name, kind: $kind, labels: &[$($label),*], help: $help };)*
        /// Every metric, in the order of the table.
        #[cfg(test)]
        pub(crate) const TABLE: &[&Metric] = &[$(&$constant,)*];
    };
}

use Kind::{Counter, Gauge, Histogram};

/// From a millisecond to half a minute.
pub(crate) const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

table! {
    // The ledger and its ordering
    BLOCKCHAIN_HEIGHT = Gauge, "ledger_blockchain_height", ["channel"],
        "Blocks in the ledger, genesis included.";
    TRANSACTION_COUNT = Counter, "ledger_transaction_count",
        ["channel", "transaction_type", "chaincode", "validation_code"],
        "Transactions committed, by contract and validation code.";
    BROADCAST_PROCESSED = Counter, "broadcast_processed_count", ["channel", "type", "status"],
        "Transactions handed in for ordering, by answer.";
    BROADCAST_ENQUEUE = Histogram(SECONDS), "broadcast_enqueue_duration", ["channel", "type", "status"],
        "Time to check a transaction and put it into the queue, in seconds.";
    PROPOSALS_RECEIVED = Counter, "endorser_proposals_received", [],
        "Proposals received for endorsement.";
    PROPOSALS_SUCCESSFUL = Counter, "endorser_successful_proposals", [],
        "Proposals endorsed.";
    PROPOSAL_DURATION = Histogram(SECONDS), "endorser_proposal_duration",
        ["channel", "chaincode", "success"],
        "Time to simulate and endorse a proposal, in seconds.";
    CLUSTER_SIZE = Gauge, "consensus_BFT_cluster_size", ["channel"],
        "Validators of the configuration in force.";
    COMMITTED_BLOCK = Gauge, "consensus_BFT_committed_block_number", ["channel"],
        "Number of the last block committed.";
    PEERS_KNOWN = Gauge, "gossip_membership_total_peers_known", ["channel"],
        "Nodes of the channel that are connected.";
    STREAMS = Gauge, "cluster_comm_egress_stream_count", ["channel"],
        "Streams to other nodes that are up.";

    // The same, where Fabric has no word for it
    BLOCKS = Counter, "changbai_blocks_committed_total", ["channel", "origin"],
        "Blocks committed: decided with this node listening, or synced from a peer under their certificate.";
    SUBMIT_DURATION = Histogram(SECONDS), "changbai_submit_duration_seconds", ["channel", "outcome"],
        "From a submission to its durable block, in seconds, by outcome.";
    TURN_DURATION = Histogram(SECONDS), "changbai_ordering_turn_duration_seconds", ["channel"],
        "Work of the ordering thread between two sleeps, in seconds.";
    ROUNDS = Counter, "changbai_consensus_rounds_total", ["channel"],
        "Rounds begun because the one before decided nothing.";
    ROUND = Gauge, "changbai_consensus_round", ["channel"],
        "Round of the height under way; above 0 when the first proposal failed.";
    VALIDATOR = Gauge, "changbai_validator", ["channel"],
        "1 while this node is a validator of the next block.";
    CONFIGURATION = Gauge, "changbai_configuration_sequence", ["channel"],
        "Sequence of the channel's configuration in force.";
    PEERS_HEIGHT = Gauge, "changbai_peers_height", ["channel"],
        "Blocks that the most advanced peer claims to have.";
    BEHIND = Gauge, "changbai_blocks_behind", ["channel"],
        "Blocks that the most advanced peer claims to be ahead of this node.";
    WAITING = Gauge, "changbai_mempool_transactions", ["channel"],
        "Transactions waiting for a block.";
    WAITING_MAX = Gauge, "changbai_mempool_transactions_max", ["channel"],
        "How many transactions may wait; further ones are refused with a retry hint.";
    READY = Gauge, "changbai_channel_ready", ["channel"],
        "1 while the channel is ready for work, as /readyz says.";
    HALTED = Gauge, "changbai_channel_halted", ["channel"],
        "1 after ordering has halted in this process.";
    SUSPENDED = Gauge, "changbai_channel_suspended", ["channel"],
        "1 while this node does not vote because its disk is full.";
    NO_QUORUM = Gauge, "changbai_channel_without_quorum", ["channel"],
        "1 while too few validators are heard to decide anything.";
    ACCUSED = Gauge, "changbai_validators_accused", ["channel"],
        "Validators in force that are proven to have signed two statements in one place.";
    REFUSED = Counter, "changbai_peer_faults_total", ["channel", "fault"],
        "Messages of peers that an honest node would not have sent.";

    // Links between nodes
    LINK_UP = Gauge, "changbai_link_up", ["channel", "host"],
        "1 while every stream of the orderer to a node is up.";
    LINK_ROUND_TRIP = Gauge, "changbai_link_round_trip_seconds", ["channel", "host"],
        "The last round trip to a node, in seconds.";
    LINK_CONNECTS = Counter, "changbai_link_connects_total", ["channel"],
        "How often a node was fully connected.";
    LINK_REFUSED = Counter, "changbai_link_openings_refused_total", ["channel"],
        "Openings of links refused, by either side.";
    LINK_MESSAGES = Counter, "changbai_link_messages_total", ["channel", "msg_type", "direction"],
        "Messages sent to and received from other nodes.";
    LINK_BYTES = Counter, "changbai_link_bytes_total", ["channel", "msg_type", "direction"],
        "Bytes sent to and received from other nodes, before encryption.";
    LINK_DROPPED = Counter, "changbai_link_messages_dropped_total",
        ["channel", "msg_type", "direction"],
        "Messages dropped because their receiver, a peer or this node, took them too slowly.";

    // REST
    REQUESTS = Counter, "changbai_api_requests_total", ["method", "route", "status"],
        "Requests answered, by route template.";
    REQUEST_DURATION = Histogram(SECONDS), "changbai_api_request_duration_seconds", ["method", "route"],
        "From a request's head to its answer's head, in seconds.";

    // The node
    ALARM = Gauge, "changbai_alarm", ["code", "severity", "channel"],
        "1 while an alarm is raised; absent otherwise.";
    ALARMS_RAISED = Counter, "changbai_alarms_raised_total", ["code"],
        "How often an alarm was raised.";
    TLS_NOT_AFTER = Gauge, "changbai_tls_certificate_not_after_seconds", [],
        "Last valid second of the TLS certificate, Unix time.";
    TLS_RENEWALS = Counter, "changbai_tls_renewals_total", ["result"],
        "Renewals of the TLS certificate.";
    IDENTITY_NOT_AFTER = Gauge, "changbai_identity_certificate_not_after_seconds", [],
        "Last valid second of the ledger identity's certificate, Unix time.";
    DISK_FREE = Gauge, "changbai_disk_free_bytes", [],
        "Free bytes on the disk of the data directory.";
    DISK_RESERVE = Gauge, "changbai_disk_reserve_bytes", [],
        "With less free the node does not vote.";
    CLOCK_JUMPS = Counter, "changbai_clock_jumps_total", [],
        "Jumps of the wall clock against the monotonic one.";
    CLOCK_OFFSET = Gauge, "changbai_clock_offset_seconds", [],
        "Steps and drift of the wall clock against the monotonic one since the start, in seconds.";
    CLOCK_BOUND = Gauge, "changbai_clock_error_bound_seconds", [],
        "Bound of the wall clock's error; absent while nobody measures it.";
    TOKENS = Counter, "changbai_time_stamp_tokens_total", ["result"],
        "Time-stamp tokens asked for: given by the first authority of the list, by another, or by none.";
    CUSTODY_ORIGINALS = Gauge, "changbai_custody_originals", ["state"],
        "Originals as the last complete audit found them.";
    CUSTODY_UNHELD = Gauge, "changbai_custody_unheld", [],
        "Originals that a record of the agency says are here, and are not.";
    CUSTODY_FOUND = Counter, "changbai_custody_audited_total", ["outcome"],
        "Originals that audits have read to their end since the start.";
    CUSTODY_READ = Counter, "changbai_custody_audited_bytes_total", [],
        "Bytes that audits have read since the start, opening a file counted as 64 KiB.";
    CUSTODY_AUDIT_ENDED = Gauge, "changbai_custody_audit_ended_seconds", [],
        "When the last complete audit ended, Unix time; 0 before the first.";
    CUSTODY_STORE_UP = Gauge, "changbai_custody_store_up", [],
        "1 while the store of originals works, 0 otherwise.";
    BUILD = Gauge, "changbai_build_info", ["version"],
        "Always 1; the label tells the version.";
    RESIDENT = Gauge, "process_resident_memory_bytes", [],
        "Resident memory in bytes.";
    CPU = Counter, "process_cpu_seconds_total", [],
        "CPU time used, in seconds.";
    OPEN_FILES = Gauge, "process_open_fds", [],
        "Open file descriptors.";
    OPEN_FILES_MAX = Gauge, "process_max_fds", [],
        "Most file descriptors that the process may open.";
    STARTED = Gauge, "process_start_time_seconds", [],
        "When the process started, Unix time.";
}
