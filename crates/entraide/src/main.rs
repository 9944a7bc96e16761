//! The program `entraide`: reads the command line, runs the command, and ends with 0, 1 (refused) or 2 (usage).

use std::process::ExitCode;

use clap::Parser;
use entraide::command::{Cli, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(line) = failure.line() {
                eprintln!("entraide: {line}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
