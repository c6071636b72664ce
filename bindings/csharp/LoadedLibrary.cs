using System;
using System.Runtime.InteropServices;

namespace ArrSession
{
    /// <summary>
    /// The native library, looked at once, when it is first needed: not in a static constructor, whose exception would reach the
    /// caller inside a TypeInitializationException.
    /// </summary>
    internal static class LoadedLibrary
    {
        private static readonly object Gate = new object();
        private static volatile bool good;

        /// <summary>Throws an ArrLibraryException unless the library is there and fits.</summary>
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
                throw Failure("was not found, or something that it needs itself was not", PlaceIt(), null, e);
            }
            catch (BadImageFormatException e)
            {
                throw Failure("was found, but is no library for this process", PlaceIt(), null, e);
            }
            catch (EntryPointNotFoundException e)
            {
                throw Failure("was found, but has not all functions: it is another library, or an older one", TakeFromOne(), null, e);
            }
            throw Failure("has ABI version " + found, TakeFromOne(), found, null);
        }

        private static ArrLibraryException Failure(string what, string fix, uint? found, Exception cause)
        {
            string architecture = RuntimeInformation.ProcessArchitecture.ToString();
            string message = "The native library \"" + Native.Library + "\" (here " + FileName() + ") " + what + ". This process is "
                + architecture + " and needs ABI version " + Native.ARR_ABI_VERSION + ". " + fix;
            if (cause != null)
            {
                message += " The system says: " + cause.Message;
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

        private static string TakeFromOne()
        {
            return "Take the C# sources and the library from the same release, and look for an older copy of "
                + FileName() + " that is found first.";
        }

        private static string PlaceIt()
        {
#if UNITY_5_3_OR_NEWER
            return "In Unity: select the plugin file in the Project window and look at its import settings in the Inspector: the"
                + " platform that is built for must be ticked, with this CPU (for UWP: SDK any, CPU ARM64 on HoloLens 2), and the"
                + " Editor for play mode; after an update of the plugin restart the Editor. A file of another architecture is not"
                + " found either.";
#else
            string place = RuntimeInformation.IsOSPlatform(OSPlatform.Windows)
                ? "Put the file for this architecture beside the program's .exe, or into a folder of PATH."
                : RuntimeInformation.IsOSPlatform(OSPlatform.OSX)
                    ? "Put the file for this architecture beside the program, or into a folder of DYLD_LIBRARY_PATH."
                    : "Put the file for this architecture beside the program (.NET), into a folder of LD_LIBRARY_PATH, or into"
                        + " /usr/local/lib and run ldconfig.";
            return place + " A file of another architecture is not found either.";
#endif
        }
    }
}
