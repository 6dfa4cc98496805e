//! How many requests run at a time, and which hosts are left in peace for a while. Sends nothing.

use super::super::failure::Failure;
use super::quota::Quota;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// Limits over all hosts.
#[derive(Debug)]
pub struct Pace {
    all: Arc<Semaphore>,
    per_host: usize,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

#[derive(Debug)]
struct Host {
    slots: Arc<Semaphore>,
    /// Asked to wait until then.
    not_before: Mutex<Option<Instant>>,
    answered: AtomicBool,
    /// It never answered, and this is what happened: the next request need not find out again.
    dead: Mutex<Option<Failure>>,
    /// What it said last of the requests that are left.
    quota: Mutex<Option<Quota>>,
    /// It allows nothing more until then.
    spent: Mutex<Option<Instant>>,
}

/// The way to one host.
#[derive(Debug)]
pub struct Lane {
    all: Arc<Semaphore>,
    host: Arc<Host>,
}

/// The right to send one request.
#[derive(Debug)]
pub struct Permit {
    _host: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl Pace {
    /// Limits: over all hosts, and for each.
    pub fn new(at_once: usize, per_host: usize) -> Pace {
        Pace { all: Arc::new(Semaphore::new(at_once.max(1))), per_host: per_host.max(1), hosts: Mutex::default() }
    }

    /// The way to the host of an address.
    pub fn lane(&self, url: &Url) -> Lane {
        let name = format!("{}:{}", url.host_str().unwrap_or(""), url.port_or_known_default().unwrap_or(0));
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(name).or_insert_with(|| {
            Arc::new(Host {
                slots: Arc::new(Semaphore::new(self.per_host)),
                not_before: Mutex::default(),
                answered: AtomicBool::new(false),
                dead: Mutex::default(),
                quota: Mutex::default(),
                spent: Mutex::default(),
            })
        });
        Lane { all: Arc::clone(&self.all), host: Arc::clone(host) }
    }

    /// What each host said last of the requests that are left, by its name.
    pub fn quotas(&self) -> Vec<(String, Quota)> {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<(String, Quota)> =
            hosts.iter().filter_map(|(name, host)| Some((name.clone(), lock(&host.quota).clone()?))).collect();
        list.sort_by(|a, b| a.0.cmp(&b.0));
        list
    }
}

impl Lane {
    /// Waits for a turn: the host's, its pause, then one of all.
    pub async fn enter(&self) -> Permit {
        let host = Arc::clone(&self.host.slots).acquire_owned().await.ok();
        let until = *lock(&self.host.not_before);
        if let Some(until) = until {
            tokio::time::sleep_until(until.into()).await;
        }
        let all = Arc::clone(&self.all).acquire_owned().await.ok();
        Permit { _host: host, _all: all }
    }

    /// The host asked for a pause: nobody asks it meanwhile.
    pub fn hold_for(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut not_before = lock(&self.host.not_before);
        *not_before = Some(not_before.map_or(until, |old| old.max(until)));
    }

    /// Takes what the host says of the requests that are left. When there are none, it is left in peace until there are some: by a pause
    /// within `patience`, else by not asking it at all.
    pub fn allows(&self, quota: Quota, patience: Duration) {
        if let (0, Some(reset)) = (quota.left, quota.reset) {
            match reset <= patience {
                true => self.hold_for(reset),
                false => *lock(&self.host.spent) = Some(Instant::now() + reset),
            }
        }
        *lock(&self.host.quota) = Some(quota);
    }

    /// How long the host allows nothing more.
    pub fn spent(&self) -> Option<Duration> {
        let until = *lock(&self.host.spent);
        until.and_then(|until| until.checked_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// The host answered something.
    pub fn alive(&self) {
        self.host.answered.store(true, Ordering::Relaxed);
    }

    /// What happened to a host that never answered, if that is known.
    pub fn dead(&self) -> Option<Failure> {
        lock(&self.host.dead).clone()
    }

    /// Notes that the host did not answer after all repetitions.
    pub fn bury(&self, failure: Failure) -> Failure {
        if matches!(failure, Failure::Unreachable { .. }) && !self.host.answered.load(Ordering::Relaxed) {
            *lock(&self.host.dead) = Some(failure.clone());
        }
        failure
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pause between half of `pause` and one and a half, so that many clients do not come back at one moment.
pub fn jitter(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    pause / 2 + pause * u32::try_from(random).unwrap_or(0) / 1000
}
