//! `kill -9` at random moments: the repository stays as it was, and the next run succeeds. The seed is printed; `PINGUARD_SEED` sets it,
//! `PINGUARD_KILLS` says how many.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests touch the disk, start programs, and may panic"
)]

mod support;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};
use support::git_host::git;
use support::tree_of;
use support::upgrade_world::{NOW, World, states};

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn world(name: &str) -> World {
    let world = World::new(name);
    world.actions.repository("actions/checkout", &[&["v4.0.0"], &["v5.0.0"]]);
    let workflow = "on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4.0.0\n      \
                    - run: pip install -r requirements.txt\n";
    world.commit(&[("requirements.txt", "demo==1.0\n"), (".github/workflows/ci.yml", workflow)]);
    world.sync();
    world
}

/// Starts a run, kills it after a while of `within`, and says whether it was still at work.
fn killed(world: &World, arguments: &[&str], random: &mut Random, within: Duration) -> bool {
    let mut all = vec!["upgrade", "--now", NOW];
    all.extend(arguments);
    let mut child = world.command(&all).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_micros(random.below(within.as_micros() as u64)));
    let at_work = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    at_work
}

#[test]
fn a_run_that_is_killed_while_it_makes_branches_here_leaves_nothing_half_done() {
    let seed = setting("PINGUARD_SEED").unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64);
    println!("PINGUARD_SEED={seed}");
    let mut random = Random(seed);
    let world = world("kill-here");
    let arguments = ["--no-push"];
    let start = Instant::now();
    assert_eq!(world.upgrade(&arguments).0, 0);
    let whole = start.elapsed();
    let wanted = git(&world.clone, &["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/pinguard"]);
    assert_eq!(wanted.lines().count(), 2);
    let state = |world: &World| {
        let tree = tree_of(&world.clone).into_iter().filter(|(path, _)| {
            let inside = path.trim_start_matches(world.clone.to_str().unwrap());
            !inside.starts_with("/.git/objects") && !inside.contains("/heads/pinguard")
        });
        tree.collect::<Vec<_>>()
    };
    let before = state(&world);
    let mut at_work = 0;
    for round in 0..setting("PINGUARD_KILLS").unwrap_or(160) {
        for line in wanted.lines() {
            let name = line.split(' ').next().unwrap();
            git(&world.clone, &["update-ref", "-d", name]);
        }
        at_work += u32::from(killed(&world, &arguments, &mut random, whole));
        assert_eq!(state(&world), before, "round {round}");
        assert_eq!(git(&world.clone, &["fsck", "--no-dangling", "--no-progress"]), "", "round {round}");
        let (code, report) = world.upgrade(&arguments);
        assert_eq!(code, 0, "round {round}: {report:#}");
        let refs = git(&world.clone, &["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/pinguard"]);
        assert_eq!(refs, wanted, "round {round}");
    }
    assert!(at_work > 0, "no run was killed while it worked");
}

#[test]
fn a_run_that_is_killed_while_it_pushes_is_ended_by_the_next() {
    let seed = setting("PINGUARD_SEED").unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64);
    println!("PINGUARD_SEED={seed}");
    let mut random = Random(seed ^ 1);
    let world = world("kill-push");
    let before = tree_of(&world.clone);
    let start = Instant::now();
    assert_eq!(world.upgrade(&[]).0, 0);
    let whole = start.elapsed();
    let wanted = world.git.refs("refs/heads");
    let mut at_work = 0;
    for round in 0..setting("PINGUARD_KILLS").unwrap_or(40) {
        for branch in world.branches() {
            git(&world.git.bare, &["update-ref", "-d", &format!("refs/heads/pinguard/{branch}")]);
        }
        world.forge.set(|memory| memory.requests.clear());
        at_work += u32::from(killed(&world, &[], &mut random, whole));
        assert_eq!(tree_of(&world.clone), before, "round {round}");
        // A push that git had begun may end after its parent: that is the same push.
        let ended = (0..3).any(|_| {
            let (code, report) = world.upgrade(&[]);
            code == 0 && states(&report).iter().all(|state| !state.contains("failed"))
        });
        assert!(ended, "round {round}");
        assert_eq!(world.git.refs("refs/heads"), wanted, "round {round}");
        assert_eq!(world.forge.open().len(), 2, "round {round}: {:?}", world.forge.requests());
    }
    assert!(at_work > 0, "no run was killed while it worked");
}

#[test]
fn a_lock_file_of_a_killed_run_is_no_obstacle() {
    let world = world("kill-lock");
    let folder = world.clone.join(".git/refs/heads/pinguard");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("pypi-demo.lock"), "").unwrap();
    let (code, report) = world.upgrade(&["--no-push"]);
    assert_eq!(code, 0, "{report:#}");
    assert!(!folder.join("pypi-demo.lock").exists() && folder.join("pypi-demo").exists());
}
