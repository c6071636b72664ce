using System;
using System.Runtime.InteropServices;

namespace ArrSession
{
    /// <summary>
    /// Checks the native library once, on first use. Not in a static constructor, which would wrap the exception in a
    /// TypeInitializationException.
    /// </summary>
    internal static class LoadedLibrary
    {
        private static readonly object Gate = new object();
        private static volatile bool good;

        /// <summary>Throws an ArrLibraryException if the library is missing or does not match.</summary>
        internal static void Check()
        {
            if (good)
            {
                return;
            }
            lock (Gate)
            {
                if (!good)
                {
                    Load();
                    good = true;
                }
            }
        }

        private static void Load()
        {
            uint found;
            try
            {
                found = Native.arr_abi_version();
                if (found == Native.ARR_ABI_VERSION)
                {
                    Blank.SetUp();
                    return;
                }
            }
            catch (DllNotFoundException e)
            {
                throw Failure("was not found, or a library that it depends on was not", HowToInstall(), null, e);
            }
            catch (BadImageFormatException e)
            {
                throw Failure("was found, but is not a library for this process", HowToInstall(), null, e);
            }
            catch (EntryPointNotFoundException e)
            {
                throw Failure(
                    "was found, but lacks functions: it is an older version, or another library", HowToMatch(), null, e);
            }
            throw Failure("has ABI version " + found, HowToMatch(), found, null);
        }

        private static ArrLibraryException Failure(string what, string fix, uint? found, Exception cause)
        {
            string architecture = RuntimeInformation.ProcessArchitecture.ToString();
            string message = "The native library \"" + Native.Library + "\" (" + FileName() + ") " + what + ". This process is "
                + architecture + " and needs ABI version " + Native.ARR_ABI_VERSION + ". " + fix;
            if (cause != null)
            {
                message += " System error: " + cause.Message;
            }
            return new ArrLibraryException(message, architecture, found, cause);
        }

        private static string FileName()
        {
#if UNITY_IOS && !UNITY_EDITOR
            return "linked into the program";
#else
            if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
            {
                return Native.Library + ".dll";
            }
            return "lib" + Native.Library + (RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? ".dylib" : ".so");
#endif
        }

        private static string HowToMatch()
        {
            return "Use the C# sources and the library from the same release, and look for an older copy of "
                + FileName() + " that is found first.";
        }

        private static string HowToInstall()
        {
#if UNITY_5_3_OR_NEWER
            return "In Unity, select the plugin file in the Project window and check its import settings in the Inspector: tick"
                + " the target platform with this CPU (UWP: SDK any, CPU ARM64 on HoloLens 2), and the Editor for play mode."
                + " Restart the Editor after updating the plugin. A file of another architecture also counts as not found.";
#else
            string place = RuntimeInformation.IsOSPlatform(OSPlatform.Windows)
                ? "Put the file for this architecture next to the program's .exe, or into a folder in PATH."
                : RuntimeInformation.IsOSPlatform(OSPlatform.OSX)
                    ? "Put the file for this architecture next to the program, or into a folder in DYLD_LIBRARY_PATH."
                    : "Put the file for this architecture next to the program (.NET), into a folder in LD_LIBRARY_PATH, or into"
                        + " /usr/local/lib and run ldconfig.";
            return place + " A file of another architecture also counts as not found.";
#endif
        }
    }
}
