//! `handfast payment`: the reference payment service.

use handfast_participant::payment;

use super::participant::{Common, Participant};
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Tokens that start with tok_declined or tok_insufficient are declined, every other is charged.
Beside the contract it has payment intents under /v1/payment_intents, for flows that call it by templates.

Example:
  handfast payment --listen 127.0.0.1:4001 --store sqlite:payment.db")]
pub(crate) struct Args {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4001", env = "HANDFAST_PAYMENT_LISTEN", value_parser = crate::numbers::address)]
    pub(crate) listen: std::net::SocketAddr,
    /// Where its books are kept; the file is made where there is none.
    #[arg(long, value_name = "URL", default_value = "sqlite:payment.db", env = "HANDFAST_PAYMENT_STORE")]
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Runs the service until it is told to stop.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    Participant {
        listen: args.listen,
        store: &args.store,
        common: &args.common,
        open: Box::new(payment::open),
        router: payment::weak_router,
        base_path: payment::BASE_PATH,
    }
    .run(output)
}
