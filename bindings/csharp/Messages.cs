using System;
using System.Text;

namespace ArrSession
{
    /// <summary>Translates native messages to the names used in C#.</summary>
    internal static class Messages
    {
        /// <summary>
        /// An error message with the C function's name, at its beginning, replaced by the C# method's.
        /// </summary>
        internal static string OfError(string message, string owner, string method)
        {
            string called = method == ".ctor" ? owner : owner + "." + method;
            int end = message.IndexOf(": ", StringComparison.Ordinal);
            bool namesFunction = end > 0 && message.StartsWith("arr_", StringComparison.Ordinal);
            return called + ": " + WithNames(namesFunction ? message.Substring(end + 2) : message);
        }

        /// <summary>Renames options, which are in backticks: `call_timeout_ms` becomes `CallTimeout`.</summary>
        internal static string WithNames(string message)
        {
            if (message.IndexOf('`') < 0)
            {
                return message;
            }
            string[] parts = message.Split('`');
            // Text between backticks has an odd index. An unpaired backtick encloses nothing.
            for (int i = 1; i < parts.Length - 1; i += 2)
            {
                parts[i] = NameOf(parts[i]);
            }
            return string.Join("`", parts);
        }

        private static string NameOf(string native)
        {
            foreach (char c in native)
            {
                if (c != '_' && (c < 'a' || c > 'z'))
                {
                    return native;
                }
            }
            StringBuilder name = new StringBuilder(native.Length);
            foreach (string word in native.Split('_'))
            {
                // Units of time are dropped: a TimeSpan has none.
                if (word.Length > 0 && word != "ms" && word != "seconds")
                {
                    name.Append(char.ToUpperInvariant(word[0])).Append(word, 1, word.Length - 1);
                }
            }
            return name.ToString();
        }
    }
}
