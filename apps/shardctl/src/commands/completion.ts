// `shardctl completion <shell>`: prints a script that completes commands and options.
import { Argument, Command } from 'commander';
import { printOut } from '../terminal/print.js';

export function completionCommand(wholeTree: () => Command): Command {
	return new Command('completion')
		.description('Prints a shell completion script.')
		.addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
		.addHelpText(
			'after',
			`
To enable it in every new shell:
  bash  echo 'source <(shardctl completion bash)' >> ~/.bashrc
  zsh   echo 'source <(shardctl completion zsh)' >> ~/.zshrc   (after compinit)
  fish  shardctl completion fish > ~/.config/fish/completions/shardctl.fish`,
		)
		.action(async (shell: 'bash' | 'zsh' | 'fish') => {
			const { completionScript } = await import('../completion/completion-script.js');
			printOut(completionScript(shell, wholeTree()));
		});
}
