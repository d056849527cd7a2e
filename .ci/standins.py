"""Puts beside PyTorch's libraries stand-ins for those of CUDA that nothing calls on a CPU: named alike, with the symbols
(and their versions) that the loader looks for at once."""

import pathlib
import re
import subprocess
import sysconfig
import tempfile

CUDA = r"lib(?:cublas|cublasLt|cudnn|cufft|cufile|cusolver|cusparse|cusparseLt|nccl|nvrtc|nvshmem_host)\.so\.\d+"
UNVERSIONED = {"libcusparseLt": "cusparseLt", "libnccl": "nccl", "libcufile": "cuFile"}
torch = pathlib.Path(sysconfig.get_path("platlib"), "torch/lib")
libraries = sorted(torch.glob("*.so"))


def read(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


needed = {name for library in libraries for name in re.findall(rf"NEEDED.*\[({CUDA})\]", read("readelf", "-Wd", library))}
missing = "".join(read("nm", "-D", "--undefined-only", library) for library in libraries)
with tempfile.TemporaryDirectory() as folder:
    for name in sorted(needed):
        options = [f"-Wl,-soname,{name}"]
        prefix = UNVERSIONED.get(name.split(".")[0])
        if prefix:
            symbols = re.findall(rf"U ({prefix}\w+)$", missing, re.M)
        else:
            version = "NVSHMEM" if "nvshmem" in name else name
            symbols = re.findall(rf"U (\w+)@{re.escape(version)}$", missing, re.M)
            script = pathlib.Path(folder, "versions")
            script.write_text(f"{version} {{ global: *; }};\n")
            options.append(f"-Wl,--version-script={script}")
        source = "".join(f"char {symbol}[8];\n" for symbol in sorted(set(symbols)))
        subprocess.run(["gcc", "-shared", *options, "-o", torch / name, "-x", "c", "-"], input=source, text=True, check=True)
