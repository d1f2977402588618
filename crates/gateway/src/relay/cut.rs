//! Why a stream stops before its end, and who pays for what there was of it.

use signalbox_core::{ApiError, ErrorKind};
use signalbox_dialect::StreamFault;
use signalbox_upstream::CallError;

use crate::exit::Exit;

/// Why a stream stopped before its end.
#[derive(Debug)]
pub(super) enum Cut {
    /// The provider failed: the client is told, and pays nothing.
    Fault(ApiError, Exit),
    /// The process stops: the client is told, and pays nothing.
    Stopping,
    /// Nobody reads on: what was delivered is paid.
    Left,
}

/// What one read can go wrong with.
pub(super) enum Fault {
    Call(CallError),
    Stream(StreamFault),
}

impl Cut {
    /// A provider's failure as the client may see it; what concerns the operator's credential is told
    /// to nobody.
    pub(super) fn of(fault: StreamFault) -> Self {
        match fault {
            StreamFault::InBand(said) => Self::Fault(said.for_client(false), Exit::InBand),
            other => Self::Fault(unavailable(other.to_string()), Exit::Malformed),
        }
    }

    pub(super) fn timed_out(why: &str) -> Self {
        Self::Fault(ApiError::new(ErrorKind::Timeout, why), Exit::TimedOut)
    }

    /// How the generation ends by it.
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::Fault(_, exit) => *exit,
            Self::Stopping => Exit::Stopping,
            Self::Left => Exit::Left,
        }
    }

    /// What the client is told.
    pub(super) fn error(self) -> Option<ApiError> {
        match self {
            Self::Fault(error, _) => Some(error),
            Self::Stopping => {
                let text = "The gateway is restarting. Please try again.";
                Some(ApiError::new(ErrorKind::ProviderOverloaded, text))
            }
            Self::Left => None,
        }
    }
}

impl From<Fault> for Cut {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Call(error) => {
                let text = format!("The provider's answer broke off: {error}");
                Self::Fault(unavailable(text), Exit::BrokeOff)
            }
            Fault::Stream(fault) => Self::of(fault),
        }
    }
}

fn unavailable(text: String) -> ApiError {
    ApiError::new(ErrorKind::ProviderUnavailable, text)
}
