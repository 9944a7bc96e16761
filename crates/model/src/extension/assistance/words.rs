//! The words of a call for help: legal basis, funding, kinds of help, how and how much.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A closed list of words, written in kebab case, that people choose from.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$word_doc])* $word,)* }

        impl $name {
            /// All of them, in the order in which people are asked.
            pub const ALL: &'static [Self] = &[$(Self::$word,)*];

            /// The word as it is written.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = WordError;
            fn from_str(text: &str) -> Result<Self, WordError> {
                Self::ALL.iter().copied().find(|word| word.word() == text).ok_or_else(|| WordError {
                    text: text.chars().filter(|letter| !letter.is_control()).take(40).collect(),
                    words: Self::ALL.iter().map(|word| word.word()).collect::<Vec<_>>().join(", "),
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}
pub(crate) use words;

/// Why a word was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not one of: {words}")]
pub struct WordError {
    pub(crate) text: String,
    pub(crate) words: String,
}

words! {
    /// Under which law help is asked. How it is paid for is another question ([`Funding`]).
    LegalBasis {
        /// CSIRTs help each other on request (NIS2 Arts 11(3)(f), 15(3)(f)).
        CsirtsNetwork = "csirts-network",
        /// A treaty or memorandum between the two.
        Bilateral = "bilateral",
        /// Mutual assistance between competent authorities, supervisory (NIS2 Art 37).
        Art37 = "art37",
        /// The Cyber Rapid Response Teams of a PESCO project.
        Crrt = "crrt",
        /// Private providers of the EU Cybersecurity Reserve, through the single point of contact and ENISA (Reg. (EU) 2025/38
        /// Arts 14–16): partners cannot offer to it.
        Reserve = "reserve",
        /// Not settled yet: the emergency flag lets the basis follow, and counsel is asked.
        AskCounsel = "ask-counsel",
    }
}

words! {
    /// Who pays in the end.
    Funding {
        /// Each its own.
        Own = "own",
        /// The one that asks.
        Requester = "requester",
        /// A grant for help between states (Reg. (EU) 2025/38 Art 18).
        StateGrant = "state-grant",
        /// The Reserve.
        Reserve = "reserve",
        /// As a treaty says.
        Treaty = "treaty",
    }
}

words! {
    /// What kind of help a line asks for or a capacity gives.
    HelpKind {
        /// Somebody experienced who advises the people in charge.
        Advice = "advice",
        /// What happened, on disks, in memory and in logs.
        Forensics = "forensics",
        /// What a malicious program does.
        MalwareAnalysis = "malware-analysis",
        /// Finding the attacker in networks that still run.
        ThreatHunting = "threat-hunting",
        /// Stopping it and getting it out.
        Containment = "containment",
        /// Building systems again.
        Recovery = "recovery",
        /// Machines, licences, bandwidth.
        Equipment = "equipment",
        /// Against floods of traffic.
        DdosMitigation = "ddos-mitigation",
        /// Words to the public and the press.
        Communication = "communication",
        /// People who speak both languages.
        Interpretation = "interpretation",
    }
}

words! {
    /// Where the help works.
    Mode {
        /// From where it is.
        Remote = "remote",
        /// At the place.
        OnSite = "on-site",
        /// Either.
        Either = "either",
    }
}

words! {
    /// Who pays for one offer.
    Payer {
        /// Whoever offers.
        Provider = "provider",
        /// Whoever asks.
        Requester = "requester",
        /// To be agreed.
        ToBeAgreed = "to-be-agreed",
    }
}

words! {
    /// How experienced the people are.
    Level {
        /// They work under somebody's direction.
        Basic = "basic",
        /// They work alone.
        Experienced = "experienced",
        /// They lead.
        Expert = "expert",
    }
}

words! {
    /// The clearance of people, from low to high.
    Clearance {
        /// RESTREINT UE, or the national equivalent.
        Restricted = "restricted",
        /// CONFIDENTIEL UE, or the national equivalent.
        Confidential = "confidential",
        /// SECRET UE, or the national equivalent.
        Secret = "secret",
        /// TRES SECRET UE, or the national equivalent.
        TopSecret = "top-secret",
    }
}

words! {
    /// The sectors of NIS2, Annex I and Annex II.
    Sector {
        /// Annex I, 1.
        Energy = "energy",
        /// Annex I, 2.
        Transport = "transport",
        /// Annex I, 3.
        Banking = "banking",
        /// Annex I, 4: trading venues and central counterparties.
        FinancialMarkets = "financial-markets",
        /// Annex I, 5.
        Health = "health",
        /// Annex I, 6.
        DrinkingWater = "drinking-water",
        /// Annex I, 7.
        WasteWater = "waste-water",
        /// Annex I, 8.
        DigitalInfrastructure = "digital-infrastructure",
        /// Annex I, 9: managed services.
        IctServices = "ict-services",
        /// Annex I, 10.
        PublicAdministration = "public-administration",
        /// Annex I, 11.
        Space = "space",
        /// Annex II, 1.
        Postal = "postal",
        /// Annex II, 2.
        Waste = "waste",
        /// Annex II, 3.
        Chemicals = "chemicals",
        /// Annex II, 4.
        Food = "food",
        /// Annex II, 5.
        Manufacturing = "manufacturing",
        /// Annex II, 6.
        DigitalProviders = "digital-providers",
        /// Annex II, 7.
        Research = "research",
    }
}

words! {
    /// How severe what has happened is, as the requester states it (NIS2 Arts 6(7), 23(3); Reg. (EU) 2025/38 Art 15).
    Severity {
        /// An incident.
        Incident = "incident",
        /// Significant: severe disruption or loss, or considerable damage to others.
        Significant = "significant",
        /// Large-scale: beyond what the state can respond to alone, or significant in two states or more.
        LargeScale = "large-scale",
    }
}

words! {
    /// About how many.
    SizeBand {
        /// One or two.
        Small = "small",
        /// Three to five.
        Medium = "medium",
        /// Six and more.
        Large = "large",
    }
}

words! {
    /// About how soon somebody acts, hours at most.
    ReadyBand {
        /// Within 6 hours.
        Hours6 = "hours6",
        /// Within a day.
        Hours24 = "hours24",
        /// Within three days.
        Hours72 = "hours72",
        /// Later.
        Later = "later",
    }
}

impl SizeBand {
    /// The band of a number.
    #[must_use]
    pub fn of(quantity: Quantity) -> Self {
        match u32::from(quantity) {
            0..=2 => Self::Small,
            3..=5 => Self::Medium,
            6.. => Self::Large,
        }
    }
    /// What the band promises at least.
    #[must_use]
    pub const fn least(self) -> u32 {
        match self {
            Self::Small => 1,
            Self::Medium => 3,
            Self::Large => 6,
        }
    }
}

impl ReadyBand {
    /// The band of a number of hours.
    #[must_use]
    pub const fn of(hours: u16) -> Self {
        match hours {
            0..=6 => Self::Hours6,
            7..=24 => Self::Hours24,
            25..=72 => Self::Hours72,
            73.. => Self::Later,
        }
    }
    /// What the band allows at most, hours; *later* may be a week.
    #[must_use]
    pub const fn most(self) -> u16 {
        match self {
            Self::Hours6 => 6,
            Self::Hours24 => 24,
            Self::Hours72 => 72,
            Self::Later => 168,
        }
    }
    /// The band for people: `24 h`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Hours6 => "6 h",
            Self::Hours24 => "24 h",
            Self::Hours72 => "72 h",
            Self::Later => "later",
        }
    }
}

words! {
    /// By which way helpers get at an entity's systems.
    AccessKind {
        /// Somebody at the entity types what they are told.
        TelephoneAdvice = "telephone-advice",
        /// The entity hands out images, logs and samples.
        EvidenceDrop = "evidence-drop",
        /// An account in the tenant of the entity's EDR.
        EdrTenant = "edr-tenant",
        /// An account for VPN or remote desktop.
        VpnRdp = "vpn-rdp",
        /// SSH through the entity's own gateway.
        Ssh = "ssh",
        /// At the place, with somebody of the entity beside them.
        Escort = "escort",
    }
}

impl AccessKind {
    /// Is it held by a machine of the entity (`entraide gate`)? Every other kind is written down, and people keep it.
    #[must_use]
    pub const fn is_enforced(self) -> bool {
        matches!(self, Self::Ssh)
    }
}

words! {
    /// What helpers may do on a system.
    MandateAction {
        /// Say what to do.
        Advise = "advise",
        /// Look, and change nothing.
        Read = "read",
        /// Take copies away.
        Collect = "collect",
        /// Cut off, block, stop.
        Contain = "contain",
        /// Build again.
        Rebuild = "rebuild",
    }
}

words! {
    /// Where a mandate stands by the affected nation's log (workflows §3.2).
    MandatePhase {
        /// Written down; nobody has consented.
        Drafted = "drafted",
        /// The entity has consented.
        Consented = "consented",
        /// Helpers may act.
        Active = "active",
        /// Stopped for now.
        Suspended = "suspended",
        /// Over as planned.
        Ended = "ended",
        /// Taken back.
        Revoked = "revoked",
    }
}

impl Mode {
    /// Does help of this mode serve a need of the other?
    #[must_use]
    pub const fn serves(self, need: Self) -> bool {
        matches!((self, need), (Self::Either, _) | (_, Self::Either) | (Self::Remote, Self::Remote))
            || matches!((self, need), (Self::OnSite, Self::OnSite))
    }
}

/// The number of a line within its request, from 1. It is never used for another need in a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Line(u16);

impl TryFrom<u16> for Line {
    type Error = String;
    fn try_from(number: u16) -> Result<Self, String> {
        if number == 0 { Err("lines are counted from 1".to_owned()) } else { Ok(Self(number)) }
    }
}
impl From<Line> for u16 {
    fn from(line: Line) -> Self {
        line.0
    }
}
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How much: people, or pieces of equipment. From 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(u32);

impl Quantity {
    /// Beyond this it is a typing error: no state lends more than ten thousand of anything.
    pub const MOST: u32 = 10_000;
}
impl TryFrom<u32> for Quantity {
    type Error = String;
    fn try_from(number: u32) -> Result<Self, String> {
        if number == 0 || number > Self::MOST {
            return Err(format!("a quantity is 1 to {}", Self::MOST));
        }
        Ok(Self(number))
    }
}
impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_they_are_written() {
        for basis in LegalBasis::ALL {
            assert_eq!(serde_json::to_string(basis).unwrap(), format!("\"{}\"", basis.word()));
            assert_eq!(basis.word().parse::<LegalBasis>().unwrap(), *basis);
        }
        macro_rules! all {
            ($($name:ident),*) => {$(for word in $name::ALL {
                assert_eq!(serde_json::to_string(word).unwrap(), format!("\"{}\"", word.word()));
            })*};
        }
        all!(HelpKind, Level, Clearance, Sector, Severity, SizeBand, ReadyBand);
        let refused = "magic".parse::<Mode>().unwrap_err().to_string();
        assert_eq!(refused, "`magic` is not one of: remote, on-site, either");
    }

    #[test]
    fn numbers_keep_their_range() {
        let check = |number: u32, good: bool| assert_eq!(Quantity::try_from(number).is_ok(), good, "{number}");
        check(0, false);
        check(1, true);
        check(Quantity::MOST, true);
        check(Quantity::MOST + 1, false);
        assert!(Line::try_from(0).is_err() && serde_json::from_str::<Line>("0").is_err());
    }

    #[test]
    fn a_band_promises_no_more_than_what_is_in_it() {
        for number in 1..50 {
            assert!(SizeBand::of(Quantity::try_from(number).unwrap()).least() <= number);
        }
        for hours in 0..=168 {
            assert!(ReadyBand::of(hours).most() >= hours);
        }
        assert_eq!((ReadyBand::of(24).text(), ReadyBand::of(25).text()), ("24 h", "72 h"));
    }

    #[test]
    fn a_mode_serves_what_it_can() {
        let check = |have: Mode, need: Mode, expect: bool| assert_eq!(have.serves(need), expect, "{have} for {need}");
        check(Mode::Remote, Mode::Remote, true);
        check(Mode::Remote, Mode::OnSite, false);
        check(Mode::OnSite, Mode::Remote, false);
        check(Mode::OnSite, Mode::Either, true);
        check(Mode::Either, Mode::OnSite, true);
    }
}
