//! File names of wheels: for which Pythons and platforms they are. Knows no content.
//!
//! Source: the specifications "Binary distribution format" and "Platform compatibility tags".

use super::bounds::PythonRange;
use super::marker::Marker;
use crate::ecosystems::pypi;
use pep440_rs::Version;
use pep508_rs::marker::MarkerValueString;
use std::str::FromStr;

/// The parts of a wheel's file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// The project in PEP 503 form.
    pub name: String,
    /// The version.
    pub version: Version,
    /// The build tag's number and rest, which break ties.
    pub build: Option<(u64, String)>,
    pythons: Vec<String>,
    abis: Vec<String>,
    platforms: Vec<String>,
}

/// A platform that is resolved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// Its system.
    pub os: Os,
    /// `x86_64`, `aarch64` and their like, as the system's Python spells it.
    pub machine: &'static str,
}

/// Systems with the newest version of their C library or system that wheels may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// Linux with glibc up to this minor version (2.x).
    Glibc(u32),
    /// Linux with musl up to this minor version (1.x).
    Musl(u32),
    /// macOS up to this version.
    Mac(u32, u32),
    /// Windows.
    Windows,
}

/// Names of platforms as `uv pip compile --python-platform` takes them.
pub const PLATFORMS: [(&str, Platform); 22] = [
    ("linux", Platform { os: Os::Glibc(28), machine: "x86_64" }),
    ("macos", Platform { os: Os::Mac(13, 0), machine: "arm64" }),
    ("windows", Platform { os: Os::Windows, machine: "AMD64" }),
    ("x86_64-unknown-linux-gnu", Platform { os: Os::Glibc(28), machine: "x86_64" }),
    ("aarch64-unknown-linux-gnu", Platform { os: Os::Glibc(28), machine: "aarch64" }),
    ("x86_64-manylinux2014", Platform { os: Os::Glibc(17), machine: "x86_64" }),
    ("aarch64-manylinux2014", Platform { os: Os::Glibc(17), machine: "aarch64" }),
    ("x86_64-manylinux_2_17", Platform { os: Os::Glibc(17), machine: "x86_64" }),
    ("aarch64-manylinux_2_17", Platform { os: Os::Glibc(17), machine: "aarch64" }),
    ("x86_64-manylinux_2_28", Platform { os: Os::Glibc(28), machine: "x86_64" }),
    ("aarch64-manylinux_2_28", Platform { os: Os::Glibc(28), machine: "aarch64" }),
    ("x86_64-manylinux_2_31", Platform { os: Os::Glibc(31), machine: "x86_64" }),
    ("aarch64-manylinux_2_31", Platform { os: Os::Glibc(31), machine: "aarch64" }),
    ("x86_64-manylinux_2_34", Platform { os: Os::Glibc(34), machine: "x86_64" }),
    ("x86_64-manylinux_2_40", Platform { os: Os::Glibc(40), machine: "x86_64" }),
    ("x86_64-unknown-linux-musl", Platform { os: Os::Musl(2), machine: "x86_64" }),
    ("aarch64-unknown-linux-musl", Platform { os: Os::Musl(2), machine: "aarch64" }),
    ("x86_64-apple-darwin", Platform { os: Os::Mac(13, 0), machine: "x86_64" }),
    ("aarch64-apple-darwin", Platform { os: Os::Mac(13, 0), machine: "arm64" }),
    ("x86_64-pc-windows-msvc", Platform { os: Os::Windows, machine: "AMD64" }),
    ("i686-pc-windows-msvc", Platform { os: Os::Windows, machine: "x86" }),
    ("aarch64-pc-windows-msvc", Platform { os: Os::Windows, machine: "ARM64" }),
];

impl Platform {
    /// The platform of a name.
    pub fn named(name: &str) -> Option<Platform> {
        PLATFORMS.iter().find(|(known, _)| *known == name).map(|(_, platform)| *platform)
    }

    /// The platform this program was built for, with a new C library.
    pub fn host() -> Platform {
        let arm = std::env::consts::ARCH == "aarch64";
        match std::env::consts::OS {
            "macos" => Platform { os: Os::Mac(14, 0), machine: if arm { "arm64" } else { "x86_64" } },
            "windows" => Platform { os: Os::Windows, machine: if arm { "ARM64" } else { "AMD64" } },
            _ => Platform { os: Os::Glibc(39), machine: if arm { "aarch64" } else { "x86_64" } },
        }
    }
}

impl Wheel {
    /// Reads a file name. `None`: it is no wheel's.
    pub fn parse(file: &str) -> Option<Wheel> {
        let stem = file.strip_suffix(".whl")?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, tags) = match parts[..] {
            [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
            [name, version, build, python, abi, platform] => (name, version, Some(build), [python, abi, platform]),
            _ => return None,
        };
        let build = build.map(|build| {
            let digits = build.find(|c: char| !c.is_ascii_digit()).unwrap_or(build.len());
            (build[..digits].parse().unwrap_or(0), build[digits..].to_string())
        });
        let list = |tags: &str| tags.split('.').map(str::to_string).collect();
        let version = Version::from_str(&version.replace('_', "-")).ok()?;
        let [pythons, abis, platforms] = tags.map(list);
        Some(Wheel { name: pypi::normalize(name), version, build, pythons, abis, platforms })
    }

    /// How well it fits CPython 3.`minor` on a platform; higher is better. `None`: not at all.
    pub fn fit(&self, minor: u64, platform: Platform) -> Option<u32> {
        let place = self.platforms.iter().filter_map(|tag| platform_fit(tag, platform)).max()?;
        let language = self
            .pythons
            .iter()
            .flat_map(|python| self.abis.iter().filter_map(move |abi| language_fit(python, abi, minor, place > 0)));
        Some(language.max()? * 1000 + place)
    }

    /// Whether some Python of a range can use it. Unknown tags get the benefit of the doubt.
    pub fn serves(&self, pythons: &PythonRange) -> bool {
        self.abis.iter().any(|abi| match abi.as_str() {
            "abi3" | "abi3t" => true,
            "none" => self.pythons.iter().any(|python| python_serves(python, pythons)),
            abi => match abi_python(abi) {
                Some((2, _)) => false,
                Some((3, minor)) => within(minor, pythons),
                _ => !abi.starts_with("pypy_") || abi.len() > 5 && !abi.starts_with("pypy_41"),
            },
        })
    }

    /// Where it can be installed, as far as its tags say.
    pub fn environments(&self) -> Marker {
        if self.platforms.iter().any(|tag| tag == "any") {
            return Marker::always();
        }
        let mut all = Marker::never();
        for tag in &self.platforms {
            let (system, machines): (&str, &[&str]) = match tag.as_str() {
                "win32" => ("win32", &["x86"]),
                "win_amd64" => ("win32", &["AMD64"]),
                "win_arm64" => ("win32", &["ARM64"]),
                tag if tag.starts_with("macosx") => ("darwin", mac_machines(tag)),
                tag if tag.contains("linux") => match LINUX_MACHINES.iter().find(|machine| tag.ends_with(*machine)) {
                    Some(machine) => ("linux", std::slice::from_ref(machine)),
                    None => continue,
                },
                _ => continue,
            };
            let system = Marker::string(MarkerValueString::SysPlatform, system);
            let machine = machines.iter().fold(Marker::never(), |all, machine| {
                all.or(&Marker::string(MarkerValueString::PlatformMachine, machine))
            });
            all = all.or(&system.and(&machine));
        }
        all
    }
}

const LINUX_MACHINES: [&str; 9] =
    ["x86_64", "aarch64", "i686", "armv7l", "armv6l", "ppc64le", "ppc64", "s390x", "riscv64"];

fn mac_machines(tag: &str) -> &'static [&'static str] {
    match () {
        _ if tag.ends_with("universal2") => &["x86_64", "arm64"],
        _ if tag.ends_with("arm64") => &["arm64"],
        _ if tag.ends_with("x86_64") => &["x86_64"],
        _ if tag.ends_with("intel") => &["i386", "x86_64"],
        _ if tag.ends_with("universal") => &["i386", "ppc", "ppc64", "x86_64"],
        _ => &["i386"],
    }
}

/// Zero for any platform; more for one of its own.
fn platform_fit(tag: &str, platform: Platform) -> Option<u32> {
    if tag == "any" {
        return Some(0);
    }
    let newest = |version: u32, limit: u32| (version <= limit).then_some(1 + version);
    match platform.os {
        Os::Windows => {
            let own = match platform.machine {
                "AMD64" => "win_amd64",
                "ARM64" => "win_arm64",
                _ => "win32",
            };
            (tag == own).then_some(1)
        }
        Os::Mac(major, minor) => {
            let rest = tag.strip_prefix("macosx_")?;
            let mut parts = rest.splitn(3, '_');
            let version = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
            let machine = mac_machines(tag).contains(&platform.machine);
            let old_arm = platform.machine == "arm64" && version.0 < 11 && !tag.ends_with("universal2");
            (machine && !old_arm && version <= (major, minor)).then_some(1 + version.0)
        }
        Os::Glibc(limit) => {
            let rest = tag.strip_suffix(platform.machine)?.strip_suffix('_')?;
            match rest {
                "manylinux1" => newest(5, limit),
                "manylinux2010" => newest(12, limit),
                "manylinux2014" => newest(17, limit),
                "linux" => Some(1),
                _ => newest(rest.strip_prefix("manylinux_2_")?.parse().ok()?, limit),
            }
        }
        Os::Musl(limit) => {
            let rest = tag.strip_suffix(platform.machine)?.strip_suffix('_')?;
            match rest {
                "linux" => Some(1),
                _ => newest(rest.strip_prefix("musllinux_1_")?.parse().ok()?, limit),
            }
        }
    }
}

fn language_fit(python: &str, abi: &str, minor: u64, own_platform: bool) -> Option<u32> {
    let own = format!("cp3{minor}");
    let bonus = u32::from(own_platform);
    if python == own {
        return match abi {
            _ if abi == own => Some(50),
            "abi3" => Some(40),
            "none" => Some(30 + bonus),
            _ => None,
        };
    }
    if let Some(old) = python.strip_prefix("cp3").and_then(|digits| digits.parse::<u64>().ok()) {
        return (abi == "abi3" && old <= minor).then_some(39);
    }
    if abi != "none" {
        return None;
    }
    match python.strip_prefix("py3") {
        Some("") => Some(20 + bonus),
        Some(digits) => digits.parse::<u64>().ok().filter(|old| *old <= minor).map(|_| 10 + bonus),
        None => (python == "cp3").then_some(5),
    }
}

/// Major and minor version of a language or ABI tag: `cp312`, `pypy310_pp73`, `graalpy241_311_native`.
fn abi_python(abi: &str) -> Option<(u64, u64)> {
    let digits = abi.strip_prefix("cp").or(abi.strip_prefix("pypy")).or(abi.strip_prefix("pp"));
    let digits = digits.or_else(|| abi.strip_prefix("graalpy").and_then(|rest| rest.split('_').nth(1)))?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let digits = &digits[..end];
    let major = digits.get(..1)?.parse().ok()?;
    Some((major, digits.get(1..)?.parse().ok()?))
}

fn python_serves(tag: &str, pythons: &PythonRange) -> bool {
    let Some(start) = tag.find(|c: char| c.is_ascii_digit()) else { return true };
    let (kind, digits) = tag.split_at(start);
    if digits.starts_with('2') && matches!(kind, "py" | "cp" | "pp") {
        return false;
    }
    match (kind, digits.get(1..).and_then(|minor| minor.parse::<u64>().ok())) {
        ("py", Some(minor)) => not_after(minor, pythons),
        ("cp" | "pp" | "graalpy", Some(minor)) if digits.starts_with('3') => within(minor, pythons),
        _ => true,
    }
}

fn within(minor: u64, pythons: &PythonRange) -> bool {
    pythons.lower_minor().is_none_or(|lower| (3, minor) >= lower) && not_after(minor, pythons)
}

fn not_after(minor: u64, pythons: &PythonRange) -> bool {
    pythons.upper_minor().is_none_or(|(major, upper, inside)| {
        let (wheel, upper) = ((3, minor), (major, upper));
        wheel < upper || inside && wheel == upper
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pep440_rs::VersionSpecifiers;

    const LINUX: Platform = Platform { os: Os::Glibc(28), machine: "x86_64" };

    fn fit(file: &str) -> Option<u32> {
        Wheel::parse(file).unwrap().fit(12, LINUX)
    }

    #[test]
    fn the_best_wheel_is_the_most_specific() {
        let native = fit("a-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl");
        let stable = fit("a-1-cp38-abi3-manylinux_2_17_x86_64.whl");
        let pure = fit("a-1-py3-none-any.whl");
        assert!(native > stable && stable > pure && pure.is_some());
        for wrong in [
            "a-1-cp313-cp313-manylinux_2_17_x86_64.whl",
            "a-1-py2-none-any.whl",
            "a-1-cp312-cp312-win_amd64.whl",
            "a-1-cp312-cp312-manylinux_2_34_x86_64.whl",
            "a-1-cp312-cp312-musllinux_1_2_x86_64.whl",
            "a-1-cp313-abi3-linux_x86_64.whl",
        ] {
            assert_eq!(fit(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn wheels_serve_ranges_of_python() {
        let serves = |range: &str, file: &str| {
            Wheel::parse(file).unwrap().serves(&PythonRange::of(&VersionSpecifiers::from_str(range).unwrap()))
        };
        for file in [
            "bcrypt-4.1.3-cp37-abi3-macosx_10_12_universal2.whl",
            "black-24.4.2-cp310-none-win_amd64.whl",
            "cbor2-5.6.4-py3-none-any.whl",
            "torch-1.10.0-cp310-none-macosx_10_9_x86_64.whl",
            "watchfiles-0.22.0-pp310-pypy310_pp73-macosx_11_0_arm64.whl",
        ] {
            assert!(serves("==3.10.*", file), "{file}");
        }
        for file in [
            "PySocks-1.7.1-py27-none-any.whl",
            "black-24.4.2-cp39-cp39-win_amd64.whl",
            "dearpygui-1.11.1-cp312-cp312-win_amd64.whl",
            "psutil-6.0.0-cp27-none-win32.whl",
            "psutil-6.0.0-cp36-cp36m-win32.whl",
            "pydantic_core-2.20.1-pp39-pypy39_pp73-win_amd64.whl",
            "torch-1.10.0-py311-none-macosx_10_9_x86_64.whl",
        ] {
            assert!(!serves("==3.10.*", file), "{file}");
        }
        assert!(serves(">=3.12.3", "dearpygui-1.11.1-cp312-cp312-win_amd64.whl"));
    }

    #[test]
    fn file_names_that_are_none_are_none() {
        for file in ["a-1.tar.gz", "a-1-py3-none.whl", "a-x-py3-none-any.whl", ".whl"] {
            assert_eq!(Wheel::parse(file), None, "{file}");
        }
        assert_eq!(Wheel::parse("A_b-1.0_1-2x-py3-none-any.whl").unwrap().build, Some((2, "x".to_string())));
    }
}
