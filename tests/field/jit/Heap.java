/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Heap [ask] - keep buffers that are outside of Java's own heap; ask jcmd for a perf map, and end at once. */
import java.nio.ByteBuffer;
import java.util.ArrayList;

public class Heap {
	static ArrayList<ByteBuffer> kept = new ArrayList<>();

	static void keepsBuffers() {
		kept.add(ByteBuffer.allocateDirect(3000));
	}

	public static void main(String[] args) throws Exception {
		for (int i = 0; i < 3000; i++)
			keepsBuffers();
		System.out.println(kept.size());
		if (args.length == 0)
			return;
		String pid = String.valueOf(ProcessHandle.current().pid());
		Process asked =
			new ProcessBuilder("jcmd", pid, "Compiler.perfmap").redirectErrorStream(true).start();
		asked.getInputStream().readAllBytes();
		System.out.println(asked.waitFor());
		Runtime.getRuntime().halt(0);
	}
}
