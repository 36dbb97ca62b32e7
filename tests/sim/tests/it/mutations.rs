//! Mistakes that a network must not survive unnoticed.

use changbai_channel::mutation::Mutation as Channel;
use changbai_consensus::mutation::Mutation as Consensus;
use changbai_sim::{Mutation, Options, run};
use changbai_storage::mutation::Mutation as Storage;

use crate::FIRST;

/// The first seed that finds it, of so many.
fn found_within(mutation: Mutation, seeds: u64) {
    for seed in FIRST..FIRST + seeds {
        let options = Options { mutation: Some(mutation), ..Options::default() };
        if let Some(violation) = run(seed, &options).violation {
            eprintln!("{mutation:?}: after {} seeds, {violation:?}", seed - FIRST + 1);
            return;
        }
    }
    panic!("{mutation:?} went unnoticed for {seeds} seeds");
}

#[test]
fn a_consensus_log_that_is_not_synced_is_found() {
    found_within(Mutation::Storage(Storage::WalUnsynced), 200);
}

#[test]
fn blocks_that_are_not_synced_are_found() {
    found_within(Mutation::Storage(Storage::BlockUnsynced), 200);
}

#[test]
fn a_quorum_off_by_one_is_found() {
    found_within(Mutation::Consensus(Consensus::QuorumOffByOne), 200);
}

#[test]
fn unverified_votes_are_found() {
    found_within(Mutation::Consensus(Consensus::VotesUnverified), 200);
}

#[test]
fn unverified_transactions_are_found() {
    found_within(Mutation::Channel(Channel::TransactionsUnverified), 200);
}

#[test]
fn unjudged_configurations_are_found() {
    found_within(Mutation::Channel(Channel::ConfigurationsUnjudged), 200);
}

#[test]
fn answers_before_the_block_is_durable_are_found() {
    found_within(Mutation::Channel(Channel::AnsweredEarly), 200);
}
