//! Python package indexes: what they list, and the metadata of files without downloading the files.
//!
//! Pages in JSON (PEP 691) or HTML (PEP 503); metadata beside a file where the index announces it (PEP 658 and 714), else out of the
//! wheel's own directory by ranges. Several indexes are asked in order, and the first that has a project is the only one that counts for
//! it: so nobody can take a private name on a public index. Answers are remembered for the run.

pub mod archive;
mod fetch;
pub mod places;
pub mod simple;
mod vcs;

pub use places::{Named, Place, Places};

use crate::resolve::listing::{Absent, Direct, File, Guess, Index, Listing};
use crate::resolve::metadata::Metadata;
use crate::resolve::requirement::Name;
use crate::world::credential::Authorization;
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use crate::world::http::Http;
use crate::world::netrc::Netrc;
use crate::world::registries::git_host::GitHost;
use std::collections::HashMap;
use std::hash::Hash;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::watch;
use url::Url;

type Answer<T> = Result<Arc<T>, Absent>;
/// Where an answer will be.
type Slot<T> = watch::Receiver<Option<Answer<T>>>;
/// Through which it is given.
type Opening<T> = watch::Sender<Option<Answer<T>>>;

/// Answers that are being fetched or are there.
#[derive(Debug)]
struct Memory<K, T> {
    slots: Mutex<HashMap<K, Slot<T>>>,
}

impl<K: Hash + Eq + Clone, T> Memory<K, T> {
    fn new() -> Memory<K, T> {
        Memory { slots: Mutex::default() }
    }

    /// The slot of a question; a new one comes with the end through which it is answered.
    fn slot(&self, key: &K) -> (Slot<T>, Option<Opening<T>>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            return (slot.clone(), None);
        }
        let (send, receive) = watch::channel(None);
        slots.insert(key.clone(), receive.clone());
        (receive, Some(send))
    }

    fn forget(&self, key: &K) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn ready(&self, key: &K) -> Option<Answer<T>> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(key)?.borrow().clone()
    }
}

async fn answered<T>(mut slot: Slot<T>) -> Answer<T> {
    let gone = || Absent::Failed("a look-up ended without an answer; run again".to_string());
    match slot.wait_for(Option::is_some).await {
        Ok(answer) => answer.clone().unwrap_or_else(|| Err(gone())),
        Err(_) => Err(gone()),
    }
}

/// The client of Python indexes. Made inside of the runtime; asked from threads that may wait.
#[derive(Debug)]
pub struct Pypi {
    shared: Arc<Shared>,
    handle: Handle,
}

#[derive(Debug)]
struct Shared {
    http: Http,
    places: Places,
    netrc: Netrc,
    /// Logins that were asked for or found, by the origin of the address.
    logins: Mutex<HashMap<String, Option<Authorization>>>,
    /// Where paths of direct requirements begin.
    folder: PathBuf,
    listings: Memory<Name, Listing>,
    metadata: Memory<String, Metadata>,
    direct: Memory<(Name, String), Direct>,
    environment: Environment,
    /// Made when a requirement leads to version control.
    git: OnceLock<GitHost>,
}

impl Pypi {
    /// A client of these indexes. `folder` is where relative paths begin. Needs a running runtime.
    pub fn new(http: Http, places: Places, environment: &Environment, folder: PathBuf) -> Pypi {
        let shared = Shared {
            http,
            places,
            netrc: Netrc::of(environment),
            logins: Mutex::default(),
            folder,
            listings: Memory::new(),
            metadata: Memory::new(),
            direct: Memory::new(),
            environment: environment.clone(),
            git: OnceLock::new(),
        };
        Pypi { shared: Arc::new(shared), handle: Handle::current() }
    }

    /// The listing of a project, asked from asynchronous code.
    pub async fn look_up(&self, name: &Name) -> Answer<Listing> {
        answered(self.listing_slot(name)).await
    }

    /// Like [`Pypi::look_up`], for who asks once: the listing is not kept for later. Those of big projects take megabytes.
    pub async fn look_up_once(&self, name: &Name) -> Answer<Listing> {
        let answer = self.look_up(name).await;
        self.shared.listings.forget(name);
        answer
    }

    fn listing_slot(&self, name: &Name) -> Slot<Listing> {
        let (slot, open) = self.shared.listings.slot(name);
        if let Some(open) = open {
            let (shared, name) = (self.shared.clone(), name.clone());
            self.handle.spawn(async move {
                let answer = shared.fetch_listing(&name).await;
                let _ = open.send(Some(answer.map(Arc::new)));
            });
        }
        slot
    }

    fn metadata_slot(&self, file: &Arc<File>) -> Slot<Metadata> {
        let (slot, open) = self.shared.metadata.slot(&file.url);
        if let Some(open) = open {
            spawn_metadata(&self.handle, self.shared.clone(), file.clone(), open);
        }
        slot
    }
}

fn spawn_metadata(handle: &Handle, shared: Arc<Shared>, file: Arc<File>, open: Opening<Metadata>) {
    handle.spawn(async move {
        let answer = shared.fetch_metadata(&file).await;
        let _ = open.send(Some(answer.map(Arc::new)));
    });
}

impl Index for Pypi {
    fn listing(&self, name: &Name) -> Answer<Listing> {
        let slot = self.listing_slot(name);
        self.handle.block_on(answered(slot))
    }

    fn metadata(&self, file: &Arc<File>) -> Answer<Metadata> {
        let slot = self.metadata_slot(file);
        self.handle.block_on(answered(slot))
    }

    fn direct(&self, name: &Name, url: &str) -> Answer<Direct> {
        let key = (name.clone(), url.to_string());
        let (slot, open) = self.shared.direct.slot(&key);
        if let Some(open) = open {
            let shared = self.shared.clone();
            self.handle.spawn(async move {
                let answer = shared.fetch_direct(&key.0, &key.1).await;
                let _ = open.send(Some(answer.map(Arc::new)));
            });
        }
        self.handle.block_on(answered(slot))
    }

    fn ready(&self, name: &Name) -> Option<Arc<Listing>> {
        self.shared.listings.ready(name)?.ok()
    }

    fn soon(&self, name: &Name, guess: Option<Guess>) {
        let slot = self.listing_slot(name);
        let Some(guess) = guess else { return };
        let (shared, handle) = (self.shared.clone(), self.handle.clone());
        self.handle.spawn(async move {
            let Ok(listing) = answered(slot).await else { return };
            let Some(file) = guess(&listing) else { return };
            if let (_, Some(open)) = shared.metadata.slot(&file.url) {
                spawn_metadata(&handle, shared.clone(), file, open);
            }
        });
    }

    fn soon_metadata(&self, file: &Arc<File>) {
        self.metadata_slot(file);
    }
}

impl Shared {
    /// Who asks at an address: what the index of the same origin says, else netrc, else what the keyring said.
    fn login(&self, url: &str) -> Option<Authorization> {
        let parsed = Url::parse(url).ok()?;
        let origin = parsed.origin().ascii_serialization();
        let of_place = |place: &Place| Url::parse(&place.url).is_ok_and(|own| own.origin() == parsed.origin());
        // The longest address that the one asked for lies under, then any of the same host.
        let mut fitting: Vec<&Place> = self.places.list.iter().filter(|place| of_place(place)).collect();
        fitting.sort_by_key(|place| std::cmp::Reverse(if url.starts_with(&place.url) { place.url.len() } else { 0 }));
        if let Some(own) = fitting.iter().find_map(|place| place.authorization.clone()) {
            return Some(own);
        }
        let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = logins.get(&origin) {
            return known.clone();
        }
        let (user, password) = self.netrc.find(parsed.host_str()?)?;
        let wanted = fitting.iter().find_map(|place| place.user.clone());
        let fits = wanted.is_none_or(|wanted| wanted == user);
        fits.then_some(Authorization::Basic(user, password))
    }
}

/// What a failure means for the resolution: what is not there is one thing, a world out of order another.
fn absent(failure: Failure) -> Absent {
    match failure {
        Failure::NotFound { .. } => Absent::NotFound,
        failure => Absent::Failed(failure.to_string()),
    }
}
