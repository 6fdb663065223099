//! What each request cost: every call to an AWS endpoint, in order, with its capacity.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

/// Requests that are remembered.
const KEPT: usize = 2000;

/// One call to an AWS endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    pub service: String,
    pub operation: String,
    pub table: Option<String>,
    /// The kind of item, the first word of its partition key.
    pub kind: Option<String>,
    pub status: u16,
    /// Write request units.
    pub wru: f64,
    /// Read request units.
    pub rru: f64,
    /// When it began and ended, in microseconds since the request began.
    pub began_us: u64,
    pub ended_us: u64,
}

/// What one request did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Entry {
    pub request_id: String,
    pub route: String,
    pub calls: Vec<Call>,
}

#[derive(Default)]
struct Book {
    entries: VecDeque<(String, std::time::Instant, Entry)>,
    places: HashMap<String, u64>,
    first: u64,
}

/// The ledger of a stack. Calls find their request by the trace that each carries.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

impl Ledger {
    /// Opens the entry of a request.
    pub fn open(&self, trace: &str, request_id: &str, route: &str) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = book.first + book.entries.len() as u64;
        book.places.insert(trace.to_owned(), place);
        let entry = Entry { request_id: request_id.to_owned(), route: route.to_owned(), calls: Vec::new() };
        book.entries.push_back((trace.to_owned(), std::time::Instant::now(), entry));
        if book.entries.len() > KEPT
            && let Some((oldest, _, _)) = book.entries.pop_front()
        {
            book.first += 1;
            book.places.remove(&oldest);
        }
    }

    /// Writes a call down, where its request is known.
    pub fn note(&self, trace: Option<&str>, began: std::time::Instant, mut call: Call) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = trace.and_then(|trace| book.places.get(trace)).map(|place| place - book.first);
        let found = place.and_then(|place| book.entries.get_mut(usize::try_from(place).ok()?));
        if let Some((_, opened, entry)) = found {
            let since = |moment: std::time::Instant| moment.duration_since(*opened).as_micros() as u64;
            (call.began_us, call.ended_us) = (since(began), since(std::time::Instant::now()));
            entry.calls.push(call);
        }
    }

    /// The entries, newest first; of one request where it is named.
    pub fn entries(&self, request_id: Option<&str>) -> Vec<Entry> {
        let book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |entry: &&Entry| request_id.is_none_or(|id| entry.request_id == id);
        book.entries.iter().rev().map(|(_, _, entry)| entry).filter(wanted).cloned().collect()
    }
}

/// The sum; of nothing 0, where the standard library's `sum` says -0.
pub fn total(units: impl Iterator<Item = f64>) -> f64 {
    units.fold(0.0, |sum, unit| sum + unit)
}

impl Entry {
    /// Round trips one after the other: calls that overlap count once.
    pub fn round_trips(&self) -> usize {
        let mut calls: Vec<_> = self.calls.iter().collect();
        calls.sort_by_key(|call| call.began_us);
        let mut trips = 0;
        let mut busy_until = 0;
        for call in calls {
            if trips == 0 || call.began_us >= busy_until {
                trips += 1;
                busy_until = call.ended_us;
            } else {
                busy_until = busy_until.max(call.ended_us);
            }
        }
        trips
    }

    /// Write request units in all.
    pub fn wru(&self) -> f64 {
        total(self.calls.iter().map(|call| call.wru))
    }

    /// Read request units in all.
    pub fn rru(&self) -> f64 {
        total(self.calls.iter().map(|call| call.rru))
    }
}
