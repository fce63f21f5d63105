//! How webhooks are signed: Standard Webhooks, and what Stripe does.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER_PERMISSIVE;
use handfast_protocol::Time;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::clock::whole_ms;
use crate::journal::hex;
use crate::participant::Secret;

/// At most this many signatures of one webhook are checked: one for each secret that is in use while secrets rotate.
const MOST_SIGNATURES: usize = 16;
/// The longest id, in bytes.
const MAX_ID: usize = 255;
/// How long a secret is, in bytes, where Standard Webhooks says so.
const STANDARD_SECRET: std::ops::RangeInclusive<usize> = 24..=64;
/// The length of an HMAC-SHA256.
const SIGNATURE_BYTES: usize = 32;
/// A shorter text is no secret.
const SHORTEST_TEXT: usize = 16;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
const STRIPE: &str = "stripe-signature";

/// How a webhook is signed. Both are an HMAC-SHA256 over the body and the time of the signing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scheme {
    /// [Standard Webhooks](https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp` in seconds since 1970, and
    /// `webhook-signature` with `v1,` and the HMAC of `id.timestamp.body` in base64, once for each secret, with spaces
    /// between them. The secret is `whsec_` and 24 to 64 bytes in base64.
    StandardWebhooks,
    /// As Stripe signs: `Stripe-Signature: t=TIMESTAMP,v1=HMAC`, the HMAC of `timestamp.body` in hexadecimal digits, once for
    /// each secret. The secret is a text. The id of an event stands in its body, at `/id`.
    Stripe,
}

impl Scheme {
    /// Every scheme there is.
    pub const ALL: [Self; 2] = [Self::StandardWebhooks, Self::Stripe];

    /// Its name in a flow file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StandardWebhooks => "standard-webhooks",
            Self::Stripe => "stripe",
        }
    }

    /// The headers that a webhook is sent with, signed at this time. `id` is what tells it from every other one and stays the
    /// same when it is sent again; in the scheme of Stripe it has to stand in the body.
    ///
    /// # Errors
    /// The secret is none of this scheme.
    pub fn sign(self, secret: &Secret, id: &str, at: Time, body: &[u8]) -> Result<Vec<(&'static str, String)>, UnusableSecret> {
        let key = SigningKey::new(self, secret)?;
        let timestamp = (at.0 / 1000).to_string();
        Ok(match self {
            Self::StandardWebhooks => {
                let signature = STANDARD.encode(key.mac(&[id, &timestamp], body).finalize().into_bytes());
                vec![(ID, id.to_owned()), (TIMESTAMP, timestamp), (SIGNATURE, format!("v1,{signature}"))]
            }
            Self::Stripe => {
                let signature = hex(&key.mac(&[&timestamp], body).finalize().into_bytes());
                vec![(STRIPE, format!("t={timestamp},v1={signature}"))]
            }
        })
    }
}

/// Why a secret cannot be used. The secret is not repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableSecret {
    /// It is none of Standard Webhooks.
    #[error("a secret of standard-webhooks is whsec_ and 24 to 64 bytes in base64, and this one is not")]
    Standard,
    /// It is too short to be one.
    #[error("a secret of stripe has at least 16 characters, and this one has fewer")]
    Short,
}

/// Why a webhook is not taken for one of a holder of the secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotSigned {
    /// A header is not there.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// A header cannot be read.
    #[error("the header {0} cannot be read")]
    Unreadable(&'static str),
    /// Another secret, another body or another time was signed.
    #[error("none of its signatures is one of this body by the secret of this step")]
    OtherSignature,
    /// It is too old, or from the future.
    #[error("it was signed more than {} s from now", .0.as_secs())]
    OtherTime(Duration),
}

/// What tells a webhook from every other one of its step: a hash of its id.
pub(super) type MessageId = [u8; 32];

/// The secret of a step, ready to check with.
#[derive(Clone)]
pub(super) struct SigningKey {
    scheme: Scheme,
    keyed: Hmac<Sha256>,
}

/// What the headers of a webhook say.
struct Signed<'h> {
    /// What stands before the body in what is signed.
    before: Vec<&'h str>,
    timestamp: &'h str,
    signatures: Vec<Vec<u8>>,
    header: &'static str,
}

impl Signed<'_> {
    fn check_time(&self, now: Time, tolerance: Duration) -> Result<(), NotSigned> {
        let seconds: u64 = self.timestamp.parse().map_err(|_| NotSigned::Unreadable(self.header))?;
        let is_late = now.0.abs_diff(seconds.saturating_mul(1000)) > whole_ms(tolerance);
        if is_late { Err(NotSigned::OtherTime(tolerance)) } else { Ok(()) }
    }
}

impl SigningKey {
    pub(super) fn new(scheme: Scheme, secret: &Secret) -> Result<Self, UnusableSecret> {
        let text = secret.reveal();
        let bytes = match scheme {
            Scheme::StandardWebhooks => {
                let decoded = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok();
                decoded.filter(|bytes| STANDARD_SECRET.contains(&bytes.len())).ok_or(UnusableSecret::Standard)?
            }
            Scheme::Stripe if text.len() < SHORTEST_TEXT => return Err(UnusableSecret::Short),
            Scheme::Stripe => text.as_bytes().to_vec(),
        };
        // An HMAC takes keys of any length; a type that says otherwise is told what to do about it.
        let keyed = Hmac::new_from_slice(&bytes).map_err(|_length| UnusableSecret::Short)?;
        Ok(Self { scheme, keyed })
    }

    fn mac(&self, before: &[&str], body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        for part in before {
            mac.update(part.as_bytes());
            mac.update(b".");
        }
        mac.update(body);
        mac
    }

    /// Whether these can be the headers of a webhook that was signed lately, whatever its body is.
    pub(super) fn check_headers<'h>(
        &self,
        header: impl Fn(&str) -> Option<&'h str>,
        now: Time,
        tolerance: Duration,
    ) -> Result<(), NotSigned> {
        let signed = self.read(header)?;
        // Without a signature of the right length there is none that could be right.
        if !signed.signatures.iter().any(|signature| signature.len() == SIGNATURE_BYTES) {
            return Err(NotSigned::OtherSignature);
        }
        signed.check_time(now, tolerance)
    }

    fn read<'h>(&self, header: impl Fn(&str) -> Option<&'h str>) -> Result<Signed<'h>, NotSigned> {
        match self.scheme {
            Scheme::StandardWebhooks => read_standard(header),
            Scheme::Stripe => read_stripe(header),
        }
    }

    /// Whether this body was signed with the secret, lately. Says what tells it from every other webhook, as far as the headers
    /// do.
    pub(super) fn check<'h>(
        &self,
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        now: Time,
        tolerance: Duration,
    ) -> Result<MessageId, NotSigned> {
        let signed = self.read(header)?;
        // The body is gone through once, however many signatures there are.
        let mac = self.mac(&signed.before, body);
        // Each is compared in constant time, so that an attacker does not learn from the time it takes how much of a forged one
        // was right.
        let is_signed = |signature: &Vec<u8>| mac.clone().verify_slice(signature).is_ok();
        if !signed.signatures.iter().any(is_signed) {
            return Err(NotSigned::OtherSignature);
        }
        signed.check_time(now, tolerance)?;
        Ok(match self.scheme {
            Scheme::StandardWebhooks => Sha256::digest(signed.before[0]).into(),
            Scheme::Stripe => mac.finalize().into_bytes().into(),
        })
    }
}

fn read_standard<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Result<Signed<'h>, NotSigned> {
    let wanted = |name| header(name).ok_or(NotSigned::Missing(name));
    let (id, timestamp, text) = (wanted(ID)?, wanted(TIMESTAMP)?, wanted(SIGNATURE)?);
    if !(1..=MAX_ID).contains(&id.len()) {
        return Err(NotSigned::Unreadable(ID));
    }
    let of_v1 = text.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
    let signatures = of_v1.take(MOST_SIGNATURES).filter_map(|signature| STANDARD.decode(signature).ok()).collect();
    Ok(Signed { before: vec![id, timestamp], timestamp, signatures, header: TIMESTAMP })
}

fn read_stripe<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Result<Signed<'h>, NotSigned> {
    let text = header(STRIPE).ok_or(NotSigned::Missing(STRIPE))?;
    let parts = || text.split(',').filter_map(|part| part.split_once('='));
    let timestamp = parts().find(|(name, _)| *name == "t").ok_or(NotSigned::Unreadable(STRIPE))?.1;
    let of_v1 = parts().filter(|(name, _)| *name == "v1");
    let signatures =
        of_v1.take(MOST_SIGNATURES).filter_map(|(_, digits)| HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()).collect();
    Ok(Signed { before: vec![timestamp], timestamp, signatures, header: STRIPE })
}
